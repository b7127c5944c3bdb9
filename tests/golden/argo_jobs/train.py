import sys
print("{{", "$$", 0.5)
