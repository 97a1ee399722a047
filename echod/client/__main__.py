"""
C{python -m echod.client}.
"""

from echod.client.main import main

if __name__ == "__main__":
    main()
