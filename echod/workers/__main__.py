"""
A worker: see L{echod.workers.child}.
"""

from echod.workers.child import main

if __name__ == "__main__":
    main()
