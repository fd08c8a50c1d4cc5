namespace LoggingService.Homeserver;

/// <summary>
/// The calls of the client API that read the history of a room. They throw as those of <see cref="HomeserverClient"/> do; 403 where our
/// user may not read it.
/// </summary>
internal sealed class HomeserverHistory(HomeserverClient homeserver)
{
    /// <summary>One page of events: in the order of the room, or in the reverse one.</summary>
    /// <param name="Start">The position of the first event; <c>null</c> if the homeserver does not tell.</param>
    /// <param name="End">Where the next page starts; <c>null</c> behind the last one. A page may be empty and not the last.</param>
    internal sealed record Page(IReadOnlyList<RawJson> Events, string? Start, string? End);

    /// <param name="from">The position to start at; <c>null</c> for the first or the last event of the room.</param>
    public async Task<Page> ReadAsync(string roomId, string? from, bool isForward, int limit, CancellationToken cancellation)
    {
        var start = from is null ? "" : $"&from={HomeserverClient.Escape(from)}";
        var path = $"v3/rooms/{HomeserverClient.Escape(roomId)}/messages?dir={(isForward ? 'f' : 'b')}&limit={limit}{start}";
        var response = await homeserver.CallAsync(HttpMethod.Get, path, null, cancellation, isSlow: true);
        var end = response["end"u8].AsString();
        return new(response["chunk"u8].Items(), response["start"u8].AsString() ?? from, end == from ? null : end);
    }

    /// <summary>The position before an event; <c>null</c> if the homeserver does not have the event, or the position.</summary>
    public async Task<string?> FindPositionAsync(string roomId, string eventId, CancellationToken cancellation)
    {
        var path = $"v3/rooms/{HomeserverClient.Escape(roomId)}/context/{HomeserverClient.Escape(eventId)}?limit=0";
        try
        {
            return (await homeserver.CallAsync(HttpMethod.Get, path, null, cancellation, isSlow: true))["start"u8].AsString();
        }
        catch (HomeserverException e) when (e.Status == StatusCodes.Status404NotFound)
        {
            return null;
        }
    }

    /// <summary>The first event at a time or after it; <c>null</c> if there is none, or if the homeserver can't tell.</summary>
    /// <param name="time">Milliseconds since 1970.</param>
    public async Task<string?> FindEventAtAsync(string roomId, long time, CancellationToken cancellation)
    {
        var path = $"v1/rooms/{HomeserverClient.Escape(roomId)}/timestamp_to_event?ts={time}&dir=f";
        try
        {
            return (await homeserver.CallAsync(HttpMethod.Get, path, null, cancellation, isSlow: true))["event_id"u8].AsString();
        }
        catch (HomeserverException e) when (e.Status == StatusCodes.Status404NotFound)
        {
            return null;
        }
    }
}
