using System.Text.Json;

namespace LoggingService.Tests.Reliability;

/// <summary>The events that were acknowledged and that nobody else took away: each must be in its room's record once.</summary>
internal sealed class AcknowledgedEvents
{
    private readonly Dictionary<string, HashSet<string>> _rooms = [];

    /// <summary>How many there were, those that somebody took away later included.</summary>
    public int Count { get; private set; }

    /// <summary>Those that were looked for and were not there, as sentences.</summary>
    public HashSet<string> Lost { get; } = [];

    /// <summary>Those that were there more than once.</summary>
    public HashSet<string> Twice { get; } = [];

    /// <summary>An event was answered with 200.</summary>
    public void Add(string room, string eventId)
    {
        if (!_rooms.TryGetValue(room, out var ids))
            _rooms[room] = ids = [];
        if (ids.Add(eventId))
            Count++;
    }

    /// <summary>Somebody does something to the logs: what is not there afterwards is not ours to keep any more.</summary>
    public void DuringChange(string logs, Action touch)
    {
        touch();
        foreach (var (room, ids) in _rooms)
            ids.IntersectWith(Ids(logs, room).OfType<string>().ToHashSet());
    }

    /// <summary>Looks for all of a room's events; text and record must be line for line, without holes.</summary>
    public void Check(string logs, string room, string after)
    {
        var there = Ids(logs, room).OfType<string>().CountBy(id => id).ToDictionary();
        Lost.UnionWith(from id in _rooms.GetValueOrDefault(room) ?? [] where !there.ContainsKey(id) select $"{id} of {room} after {after}");
        Twice.UnionWith(from found in there where found.Value > 1 select $"{found.Key} of {room} after {after}");
        foreach (var record in Records(logs, room))
        {
            var (recorded, text) = (File.ReadAllLines(record), File.ReadAllLines(Path.ChangeExtension(record, ".log")));
            Assert.True(recorded.Length == text.Length, $"{recorded.Length} events and {text.Length} lines in {record} after {after}");
            foreach (var (e, line) in recorded.Zip(text))
            {
                Assert.False(e.Contains('\0', StringComparison.Ordinal) || line.Contains('\0', StringComparison.Ordinal), $"a hole in {record} after {after}");
                if (Parse(e) is { } json)
                    Assert.True(line.Contains("> " + json.GetProperty("content").GetProperty("body").GetString()!.TrimEnd('x'), StringComparison.Ordinal), $"{line}\nisn't\n{e}\nin {record} after {after}");
            }
        }
    }

    /// <summary>Holds all that was looked for to the promise.</summary>
    public void AssertComplete(string fault, string how, long rounds)
    {
        foreach (var what in Lost.Concat(Twice).Take(10))
            TestContext.Current.TestOutputHelper!.WriteLine(what);
        Trial.Report(fault, how, rounds, Count, Lost.Count, Twice.Count);
    }

    private static IEnumerable<string?> Ids(string logs, string room) =>
        from record in Records(logs, room)
        from line in File.ReadLines(record)
        select Parse(line) is { } e ? e.GetProperty("event_id").GetString() : null;

    private static string[] Records(string logs, string room) =>
        Directory.Exists(Path.Combine(logs, room)) ? Directory.GetFiles(Path.Combine(logs, room), "*.jsonl") : [];

    // Half a line, left by somebody who cut the file, is none.
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
