using System.Buffers;
using System.Collections.Concurrent;
using LoggingService.Files;
using LoggingService.Registration;

namespace LoggingService.Homeserver;

/// <summary>The service's own user on the homeserver (<c>sender_localpart</c>), and the rooms that it has joined.</summary>
internal sealed class ServiceUser(AppServiceRegistration registration, HomeserverClient homeserver)
{
    /// <summary>Of DNS names, IP addresses and ports (Matrix specification, appendices "Server Name").</summary>
    private static readonly SearchValues<char> ServerNameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:[]");

    private readonly SemaphoreSlim _identifying = new(1, 1);
    private readonly ConcurrentDictionary<string, bool> _joinedRooms = new();
    private readonly TaskCompletionSource<string> _identified = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _id;

    /// <summary>The user id; <c>null</c> until the homeserver has been queried.</summary>
    public string? Id => _id;

    /// <summary>Completes with the user id once the homeserver has been queried.</summary>
    public Task<string> Identified => _identified.Task;

    /// <summary>Whether a user id is ours. Until ours is known, any server name is accepted.</summary>
    public bool Matches(string? userId)
    {
        if (_id is { } id)
        {
            return userId == id;
        }

        var prefix = $"@{registration.SenderLocalpart}:";
        return userId?.StartsWith(prefix, StringComparison.Ordinal) == true
            && userId.Length > prefix.Length
            && !userId.AsSpan(prefix.Length).ContainsAnyExcept(ServerNameCharacters);
    }

    /// <summary>Whether a server is our homeserver. Until our user id is known, any is accepted.</summary>
    public bool IsOnHomeserver(string server) => _id is not { } id || server == ServerOf(id);

    /// <summary>The name of a user's server.</summary>
    public static string ServerOf(string userId) => userId[(userId.IndexOf(':', StringComparison.Ordinal) + 1)..];

    public bool IsJoinedTo(string roomId) => _joinedRooms.ContainsKey(roomId);

    /// <summary>Whether our user is a member of the room of a folder; true also while that is not known.</summary>
    /// <param name="folder">The name of the folder.</param>
    public bool MayBeJoinedToFolder(string folder) =>
        _id is null || _joinedRooms.Keys.Any(roomId => FolderName.ForRoom(roomId) == folder);

    /// <summary>Applies an <c>m.room.member</c> event of our own user; true for a join.</summary>
    public bool TrackMembership(RoomEvent e)
    {
        if (e.Content["membership"u8].AsString() == "join")
        {
            _joinedRooms[e.RoomId] = true;
            return true;
        }

        _joinedRooms.TryRemove(e.RoomId, out _);
        return false;
    }

    /// <summary>Queries our user id and our joined rooms, unless they are known.</summary>
    /// <exception cref="HomeserverException">The homeserver cannot be queried.</exception>
    public Task EnsureIdentifiedAsync(CancellationToken cancellation) => _id is null ? IdentifyAsync(cancellation) : Task.CompletedTask;

    private async Task IdentifyAsync(CancellationToken cancellation)
    {
        await _identifying.WaitAsync(cancellation);
        try
        {
            if (_id is null)
            {
                var id = await homeserver.WhoAmIAsync(cancellation);
                foreach (var roomId in await homeserver.GetJoinedRoomsAsync(cancellation))
                {
                    _joinedRooms[roomId] = true;
                }

                _id = id;
                _identified.TrySetResult(id);
            }
        }
        finally
        {
            _identifying.Release();
        }
    }
}
