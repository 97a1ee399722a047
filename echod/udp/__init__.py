"""
The UDP echo.
"""
