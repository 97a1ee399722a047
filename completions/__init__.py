"""
Completions of echod and echoc for bash, zsh and fish.

C{python -m completions} writes the files from the options of both programs.  They are
installed with the package.
"""
