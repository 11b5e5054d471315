"""How ComfyUI sees the pack: the only folder that touches ComfyUI and torch. Imports nothing by itself."""
