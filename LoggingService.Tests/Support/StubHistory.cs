using System.Globalization;
using System.Text.Json;
using System.Web;

namespace LoggingService.Tests.Support;

/// <summary>
/// The history of a room, with positions and pages as Synapse has them: forwards, <c>end</c> is missing only behind an empty page;
/// backwards, only at the first event.
/// </summary>
internal sealed class StubHistory(string roomId)
{
    private readonly List<string> _events = [];
    private int _pages;

    public string RoomId => roomId;

    /// <summary>The request for a page of the history.</summary>
    public string Line => $"GET {Path}/messages";

    /// <summary>How many pages were read.</summary>
    public int Pages => _pages;

    /// <summary>The highest number of events that were asked for at once.</summary>
    public int MaxLimit { get; private set; }

    /// <summary>Called before each page, with its number from 1; a response replaces that of the page.</summary>
    public Func<int, StubHomeserver.Response?> BeforePage { get; set; } = static _ => null;

    private string Path => $"/_matrix/client/v3/rooms/{Uri.EscapeDataString(roomId)}";

    /// <summary>Adds an event, given as JSON, and returns it.</summary>
    public string Add(string json)
    {
        lock (_events)
        {
            _events.Add(json);
        }

        return json;
    }

    public Task<StubHomeserver.Response> RespondAsync(StubHomeserver.Request request) => Task.FromResult(Respond(request.Query));

    public StubHomeserver.Response Respond(string queryText)
    {
        if (BeforePage(Interlocked.Increment(ref _pages)) is { } other)
        {
            return other;
        }

        var query = HttpUtility.ParseQueryString(queryText);
        var limit = int.Parse(query["limit"]!, CultureInfo.InvariantCulture);
        MaxLimit = Math.Max(MaxLimit, limit);
        var isForward = query["dir"] == "f";
        lock (_events)
        {
            var from = query["from"] is { } token ? int.Parse(token[1..], CultureInfo.InvariantCulture) : isForward ? 0 : _events.Count;
            var end = isForward ? Math.Min(from + limit, _events.Count) : Math.Max(from - limit, 0);
            var chunk = isForward ? _events[from..end] : _events[end..from].AsEnumerable().Reverse().ToList();
            var hasEnd = isForward ? chunk.Count > 0 : end > 0;
            return new(
                200, $$"""{"start":"t{{from}}","chunk":[{{string.Join(',', chunk)}}]{{(hasEnd ? $",\"end\":\"t{end}\"" : "")}}}""");
        }
    }

    /// <summary>The position before an event.</summary>
    public StubHomeserver.Response RespondContext(string eventId)
    {
        lock (_events)
        {
            var index = _events.FindIndex(json => JsonElement.Parse(json).GetProperty("event_id").GetString() == eventId);
            return index < 0
                ? new(404, """{"errcode":"M_NOT_FOUND","error":"Event not found"}""")
                : new(200, $$"""{"start":"t{{index}}","end":"t{{index + 1}}","events_before":[],"events_after":[]}""");
        }
    }

    /// <summary>The first event at a time, in milliseconds since 1970, or after it.</summary>
    public StubHomeserver.Response RespondTimestamp(long time)
    {
        lock (_events)
        {
            var events = _events.Select(json => JsonElement.Parse(json));
            var found = events.FirstOrDefault(e => e.GetProperty("origin_server_ts").GetInt64() >= time);
            return found.ValueKind == JsonValueKind.Undefined
                ? new(404, """{"errcode":"M_NOT_FOUND","error":"Unable to find event"}""")
                : new(200, $$"""{"event_id":"{{found.GetProperty("event_id").GetString()}}","origin_server_ts":1}""");
        }
    }
}
