using System.Collections.Concurrent;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>The acknowledged transactions of a test, whose events must be in the logs exactly once.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<string, string> _acknowledged = new();

    /// <summary>A transaction: its events, and the JSON of everything in it, which may include unloggable entries.</summary>
    public sealed record Transaction(IReadOnlyList<(string Room, string Id)> Events, IReadOnlyList<string> Json);

    /// <summary>Creates a transaction with one message for each room.</summary>
    public static Transaction Create(IEnumerable<string> rooms, int length = 100)
    {
        var events = rooms.Select(room => (Room: room, Id: Some.EventId())).ToList();
        return new(events, [.. events.Select(e => Some.Message(e.Room, $"{e.Id} {new string('x', length)}", e.Id))]);
    }

    public void Acknowledge(Transaction transaction)
    {
        foreach (var (room, id) in transaction.Events)
            _acknowledged[id] = room;
    }

    /// <summary>How often each event of a transaction is in its room's records, which may be damaged.</summary>
    public static IEnumerable<int> CountEvents(string logs, Transaction transaction) =>
        from e in transaction.Events
        let folder = Path.Combine(logs, e.Room)
        select Directory.Exists(folder) ? Directory.GetFiles(folder, "*.jsonl").Sum(file => CountEvent(file, e.Id)) : 0;

    /// <summary>Waits until a service process has logged every acknowledged event.</summary>
    public Task WaitUntilLoggedAsync(string logs) => WaitUntilLoggedAsync(logs, _acknowledged.Select(e => (e.Value, e.Key)));

    /// <summary>Waits until a service process has logged a transaction's events.</summary>
    public static Task WaitUntilLoggedAsync(string logs, Transaction transaction) => WaitUntilLoggedAsync(logs, transaction.Events);

    /// <summary>Fails unless every acknowledged event is logged exactly once, and texts match their records.</summary>
    public void AssertComplete(string logs, string fault, string method, long rounds)
    {
        var lost = 0;
        var duplicated = 0;
        foreach (var room in _acknowledged.GroupBy(e => e.Value, e => e.Key))
        {
            var logged = LogFolder.EventIds(logs, room.Key).CountBy(id => id).ToDictionary();
            lost += room.Count(id => !logged.ContainsKey(id));
            duplicated += logged.Count(id => id.Value > 1);
        }

        LogFolder.AssertLineForLine(logs);
        Trial.Report(fault, method, rounds, _acknowledged.Count, lost, duplicated);
    }

    /// <summary>Whether the quarantine has an unloggable entry that contains the marker.</summary>
    public static bool IsQuarantined(string logs, string marker)
    {
        var quarantine = Path.Combine(logs, ".quarantine");
        return Directory.Exists(quarantine)
            && Directory.GetFiles(quarantine).SelectMany(File.ReadLines).Any(line =>
                JsonElement.Parse(line).TryGetProperty("json", out var json)
                && json.ToString().Contains(marker, StringComparison.Ordinal));
    }

    private static async Task WaitUntilLoggedAsync(string logs, IEnumerable<(string Room, string Id)> events)
    {
        foreach (var room in events.GroupBy(e => e.Room, e => e.Id))
        {
            List<string> ids = [.. room];
            await Wait.UntilAsync(() => LogFolder.HasLogged(logs, room.Key, ids), $"{room.Key} has all acknowledged events");
        }
    }

    private static int CountEvent(string record, string id) => File.ReadAllText(record).Split($"\"event_id\":\"{id}\"").Length - 1;
}
