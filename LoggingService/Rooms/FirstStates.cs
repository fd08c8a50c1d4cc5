using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Logs, as notes, the name, topic, history visibility and members of a room when its first event is logged, or our user joins it: where
/// the homeserver lets our user read them. The notes follow the first event.
/// </summary>
internal sealed partial class FirstStates(
    HomeserverRooms rooms, RoomStates states, RoomNotes notes, IHostApplicationLifetime lifetime, TimeProvider time,
    ILogger<FirstStates> logger)
{
    /// <summary>Bytes of the ids and names of one note, of which the record's line has not much more.</summary>
    private const int MaxNoteBytes = 32 * 1024;

    private const int MaxNotes = 32;
    private const int MaxNameBytes = 1024;
    private const int MaxAttempts = 10;

    private readonly ConcurrentDictionary<string, bool> _awaited = new();
    private readonly ConcurrentDictionary<string, bool> _fetched = new();
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <summary>Fetches the state of a room behind its next line, in the background, once since the start.</summary>
    public void FetchWhenLogged(string roomId) => _awaited.TryAdd(roomId, true);

    /// <summary>To be called when lines of a room were logged.</summary>
    public void ReceiveLogged(string roomId)
    {
        if (_awaited.TryRemove(roomId, out _) && _fetched.TryAdd(roomId, true))
        {
            _ = Task.Run(() => FetchAsync(roomId, lifetime.ApplicationStopping));
        }
    }

    private async Task FetchAsync(string roomId, CancellationToken cancellation)
    {
        try
        {
            for (var attempt = 1; !await TryFetchAsync(roomId, cancellation) && attempt < MaxAttempts; attempt++)
            {
                await Task.Delay(HomeserverResilience.Cooldown, time, cancellation);
            }
        }
        catch (HomeserverException e)
        {
            // As for non-members. A later join tries again.
            _fetched.TryRemove(roomId, out _);
            Log.FirstStateNotRead(logger, roomId, e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            // The service stops, or the journal can't be written.
        }
    }

    /// <returns>False if the homeserver can't be asked now.</returns>
    private async Task<bool> TryFetchAsync(string roomId, CancellationToken cancellation)
    {
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            var name = await FindStateAsync(roomId, "m.room.name", "name", cancellation);
            var topic = await FindStateAsync(roomId, "m.room.topic", "topic", cancellation);
            var members = await rooms.GetJoinedMembersAsync(roomId, cancellation);
            var visibility = await FindStateAsync(roomId, "m.room.history_visibility", "history_visibility", cancellation);
            var isKnown = name is not null || topic is not null || visibility is not null || members.Count > 0;
            if (isKnown && !states.Get(roomId).IsStopped)
            {
                await LogAsync(roomId, name, topic, visibility, members);
            }

            return true;
        }
        catch (HomeserverException e) when (e.IsTransient)
        {
            return false;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<string?> FindStateAsync(string roomId, string type, string key, CancellationToken cancellation)
    {
        try
        {
            var content = await rooms.GetStateAsync(roomId, type, cancellation);
            return content[Encoding.ASCII.GetBytes(key)].AsString();
        }
        catch (HomeserverException e) when (e is { Status: StatusCodes.Status404NotFound, Errcode: "M_NOT_FOUND" })
        {
            return null;
        }
    }

    private async Task LogAsync(
        string roomId, string? name, string? topic, string? visibility, IReadOnlyList<(string UserId, string? Name)> members)
    {
        var parts = Split(members);
        await notes.LogAsync(Note.Create(Note.FirstState, roomId, roomId, content =>
        {
            WriteText(content, "name", name);
            WriteText(content, "topic", topic);
            WriteText(content, "history_visibility", visibility);
            content.WriteNumber("members", members.Count);
            content.WriteNumber("listed", parts.Sum(part => part.Count));
        }));
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i];
            await notes.LogAsync(Note.Create(Note.FirstMembers, roomId, $"{roomId} {i}", content =>
            {
                content.WriteStartObject("members");
                foreach (var (userId, displayName) in part)
                {
                    content.WriteString(WellFormed(userId), displayName is null ? null : WellFormed(displayName));
                }

                content.WriteEndObject();
            }));
        }
    }

    private static void WriteText(Utf8JsonWriter content, string key, string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            content.WriteString(key, WellFormed(text));
        }
    }

    /// <summary>With U+FFFD in place of unpaired surrogates, which the writer rejects.</summary>
    private static string WellFormed(string text) => string.Concat(text.EnumerateRunes());

    /// <summary>The members in parts for one note each; those of a very large room are not all listed.</summary>
    private static List<List<(string UserId, string? Name)>> Split(IReadOnlyList<(string UserId, string? Name)> members)
    {
        var parts = new List<List<(string UserId, string? Name)>>();
        var size = MaxNoteBytes;
        foreach (var (userId, name) in members)
        {
            var shown = name is not null && Encoding.UTF8.GetByteCount(name) <= MaxNameBytes ? name : null;
            var length = Encoding.UTF8.GetByteCount(userId) + Encoding.UTF8.GetByteCount(shown ?? "");
            if (size + length > MaxNoteBytes)
            {
                if (parts.Count == MaxNotes)
                {
                    break;
                }

                parts.Add([]);
                size = 0;
            }

            parts[^1].Add((userId, shown));
            size += length;
        }

        return parts;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.FirstStateNotRead, LogLevel.Debug, "Failed to read the names of {RoomId}: {Reason}")]
        public static partial void FirstStateNotRead(ILogger logger, string roomId, string reason);
    }
}
