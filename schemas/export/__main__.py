"""``python -m schemas.export``: write the generated documents beside this file."""

from schemas.export import export

if __name__ == "__main__":
    for path in export():
        print(path)
