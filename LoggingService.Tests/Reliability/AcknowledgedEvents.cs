using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>The acknowledged events that no other process has removed: each must be in its room's record exactly once.</summary>
internal sealed class AcknowledgedEvents
{
    private readonly Dictionary<string, HashSet<string>> _rooms = [];

    /// <summary>The number of acknowledged events, including those that were removed later.</summary>
    public int Count { get; private set; }

    /// <summary>Descriptions of events that were missing in a check.</summary>
    public HashSet<string> Lost { get; } = [];

    /// <summary>Descriptions of events that were logged more than once.</summary>
    public HashSet<string> Duplicated { get; } = [];

    public void Add(string room, string eventId)
    {
        if (!_rooms.TryGetValue(room, out var ids))
            _rooms[room] = ids = [];
        if (ids.Add(eventId))
            Count++;
    }

    /// <summary>Runs an external change of the logs and no longer expects the events that are missing afterwards.</summary>
    public void DuringChange(string logs, Action change)
    {
        change();
        foreach (var (room, ids) in _rooms)
            ids.IntersectWith(ReadIds(logs, room).OfType<string>().ToHashSet());
    }

    /// <summary>Waits until record and text have all expected events of a room: they follow the response.</summary>
    public Task UntilLoggedAsync(string logs, string room) => Wait.UntilAsync(
        () => Records(logs, room).Sum(record => CountLines(Path.ChangeExtension(record, ".log"))) == ReadIds(logs, room).Count()
            && _rooms.GetValueOrDefault(room, []).IsSubsetOf(ReadIds(logs, room).OfType<string>()),
        $"the events of {room} are logged");

    /// <summary>Looks for all expected events of a room. Text and record must match line for line.</summary>
    public void Check(string logs, string room, string after)
    {
        var logged = ReadIds(logs, room).OfType<string>().CountBy(id => id).ToDictionary();
        var expected = _rooms.GetValueOrDefault(room) ?? [];
        Lost.UnionWith(expected.Where(id => !logged.ContainsKey(id)).Select(id => $"{id} of {room} after {after}"));
        Duplicated.UnionWith(logged.Where(id => id.Value > 1).Select(id => $"{id.Key} of {room} after {after}"));
        foreach (var record in Records(logs, room))
        {
            var events = File.ReadAllLines(record);
            var lines = File.ReadAllLines(Path.ChangeExtension(record, ".log"));
            Assert.True(events.Length == lines.Length, $"{events.Length} events and {lines.Length} lines in {record} after {after}");
            foreach (var (e, line) in events.Zip(lines))
            {
                Assert.False(e.Contains('\0') || line.Contains('\0'), $"a hole in {record} after {after}");
                if (Parse(e) is { } json && json.GetProperty("event_id").GetString()![0] == '$')
                {
                    var body = json.GetProperty("content").GetProperty("body").GetString()!.TrimEnd('x');
                    Assert.True(line.Contains("> " + body), $"{line}\nisn't the line of\n{e}\nin {record} after {after}");
                }
            }
        }
    }

    /// <summary>Reports the result of all checks, and fails if an event was lost or duplicated.</summary>
    public void AssertComplete(string fault, string method, long rounds)
    {
        foreach (var problem in Lost.Concat(Duplicated).Take(10))
            TestContext.Current.TestOutputHelper!.WriteLine(problem);
        Trial.Report(fault, method, rounds, Count, Lost.Count, Duplicated.Count);
    }

    private static IEnumerable<string?> ReadIds(string logs, string room) =>
        from record in Records(logs, room)
        from line in File.ReadLines(record)
        select Parse(line) is { } e ? e.GetProperty("event_id").GetString() : null;

    // 0 also for a text that does not exist: the record is created first.
    private static int CountLines(string text)
    {
        try
        {
            return File.ReadLines(text).Count();
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static string[] Records(string logs, string room) =>
        Directory.Exists(Path.Combine(logs, room)) ? Directory.GetFiles(Path.Combine(logs, room), "*.jsonl") : [];

    // Null for the rest of a line that an external change has cut.
    private static JsonElement? Parse(string line)
    {
        try
        {
            return JsonElement.Parse(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
