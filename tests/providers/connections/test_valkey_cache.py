import threading

import redis
from django.core.cache import cache


def test_all_commands_of_a_thread_share_one_client(monkeypatch):
    made = []
    monkeypatch.setattr(redis.Redis, "__init__", lambda *args, **options: made.append(args))
    monkeypatch.setattr(redis.Redis, "execute_command", lambda *command, **options: [b"1", None])
    monkeypatch.setattr(redis.Redis, "__del__", lambda client: None)

    def use():
        assert cache.get_many(["one", "none"]) == {"one": 1}
        cache.set("one", 1)
        assert cache.get_many(["one", "none"]) == {"one": 1}

    thread = threading.Thread(target=use)  # which has used no cache yet
    thread.start()
    thread.join()
    assert len(made) == 1
