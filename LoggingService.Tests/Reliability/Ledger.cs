using System.Collections.Concurrent;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>What was acknowledged in a trial, to be looked for in the logs.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<string, string> _acknowledged = new();

    /// <summary>One transaction.</summary>
    /// <param name="Events">Its events: room and event id.</param>
    /// <param name="Json">The same as they are pushed, and whatever else is in the transaction.</param>
    public sealed record Transaction(IReadOnlyList<(string Room, string Id)> Events, IReadOnlyList<string> Json);

    /// <summary>A transaction of one message in each of these rooms.</summary>
    public static Transaction Create(IEnumerable<string> rooms, int length = 100)
    {
        var events = rooms.Select(room => (Room: room, Id: Some.EventId())).ToList();
        return new(events, [.. events.Select(e => Some.Message(e.Room, $"{e.Id} {new string('x', length)}", e.Id))]);
    }

    /// <summary>It was answered 200.</summary>
    public void Acknowledge(Transaction pushed)
    {
        foreach (var (room, id) in pushed.Events)
            _acknowledged[id] = room;
    }

    /// <summary>How often each event of a transaction is in its room's records, which may be in no good order yet.</summary>
    public static IEnumerable<int> CountEvents(string logs, Transaction pushed) =>
        from e in pushed.Events
        let folder = Path.Combine(logs, e.Room)
        select !Directory.Exists(folder) ? 0 : Directory.GetFiles(folder, "*.jsonl").Sum(file => File.ReadAllText(file).Split($"\"event_id\":\"{e.Id}\"").Length - 1);

    /// <summary>AssertComplete the logs to the promise: every acknowledged event is there once, and its text line for line.</summary>
    public void AssertComplete(string logs, string fault, string how, long rounds)
    {
        var (lost, twice) = (0, 0);
        foreach (var room in _acknowledged.GroupBy(e => e.Value, e => e.Key))
        {
            var logged = LogFolder.EventIds(logs, room.Key).CountBy(id => id).ToDictionary();
            lost += room.Count(id => !logged.ContainsKey(id));
            twice += logged.Count(id => id.Value > 1);
        }

        LogFolder.AssertLineForLine(logs);
        Trial.Report(fault, how, rounds, _acknowledged.Count, lost, twice);
    }

    /// <summary>Whether something that is no event stands in the quarantine.</summary>
    public static bool IsQuarantined(string logs, string marker) =>
        Directory.Exists(Path.Combine(logs, ".quarantine"))
        && Directory.GetFiles(Path.Combine(logs, ".quarantine")).SelectMany(File.ReadLines)
            .Any(line => JsonElement.Parse(line).TryGetProperty("json", out var json) && json.ToString().Contains(marker, StringComparison.Ordinal));
}
