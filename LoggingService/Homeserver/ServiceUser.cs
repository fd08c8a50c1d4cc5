using System.Collections.Concurrent;
using LoggingService.Events;
using LoggingService.Registration;

namespace LoggingService.Homeserver;

/// <summary>The service's own user at the homeserver: its id, and the rooms that it is a member of.</summary>
internal sealed class ServiceUser(AppServiceRegistration registration, HomeserverClient homeserver)
{
    private readonly SemaphoreSlim _asking = new(1, 1);
    private readonly ConcurrentDictionary<string, bool> _joined = new();
    private volatile string? _id;

    /// <summary>The user id; <c>null</c> as long as the homeserver couldn't be asked.</summary>
    public string? Id => _id;

    /// <summary>Whether a user id is ours, as far as that is known.</summary>
    public bool Is(string? userId) =>
        _id is null ? userId?.StartsWith($"@{registration.SenderLocalpart}:", StringComparison.Ordinal) == true : userId == _id;

    /// <summary>Whether a server is our homeserver, as far as that is known.</summary>
    public bool IsOn(string server) => _id is not { } id || server == id[(id.IndexOf(':', StringComparison.Ordinal) + 1)..];

    /// <summary>Whether we are a member of a room.</summary>
    public bool IsIn(string roomId) => _joined.ContainsKey(roomId);

    /// <summary>Follows our own membership.</summary>
    /// <param name="e">An event of type <c>m.room.member</c> about us.</param>
    /// <returns>Whether we are a member by it.</returns>
    public bool Follow(RoomEvent e)
    {
        if (e.Content["membership"u8].AsString() == "join")
        {
            _joined[e.RoomId] = true;
            return true;
        }

        _joined.TryRemove(e.RoomId, out _);
        return false;
    }

    /// <summary>Asks who we are and which rooms we are in, unless that is known.</summary>
    /// <exception cref="HomeserverException">It can't be asked.</exception>
    public async Task AskAsync(CancellationToken cancellation)
    {
        if (_id is not null)
        {
            return;
        }

        await _asking.WaitAsync(cancellation);
        try
        {
            if (_id is null)
            {
                var user = await homeserver.WhoAmIAsync(cancellation);
                foreach (var room in await homeserver.JoinedRoomsAsync(cancellation))
                {
                    _joined[room] = true;
                }

                _id = user;
            }
        }
        finally
        {
            _asking.Release();
        }
    }
}
