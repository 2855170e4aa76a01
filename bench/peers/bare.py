"""The limit: FastAPI and one small JSON object; no database, nobody asked who they are."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def answer() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}
