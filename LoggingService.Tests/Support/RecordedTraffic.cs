using System.Text;
using System.Text.Json;
using LoggingService.Events;
using LoggingService.Rendering;
using LoggingService.Transactions;

namespace LoggingService.Tests.Support;

/// <summary>Requests recorded from a real Synapse: see Traffic/README.md.</summary>
internal static class RecordedTraffic
{
    public sealed record Request(string Method, string Target, string Body);

    /// <summary>The requests of a recording, in order.</summary>
    public static IReadOnlyList<Request> Read(string name) =>
    [
        .. from line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Traffic", $"{name}.jsonl"))
           let request = JsonDocument.Parse(line).RootElement
           select new Request(
               request.GetProperty("method").GetString()!,
               request.GetProperty("target").GetString()!,
               request.GetProperty("body").GetString()!),
    ];

    /// <summary>The rendered events of a recording, without the time, each with the earlier events of its room as history.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        var record = new List<RoomEvent>();
        foreach (var request in Read(name))
        {
            if (!request.Target.Contains("/transactions/", StringComparison.Ordinal)
                || !Transaction.TryParse(Encoding.UTF8.GetBytes(request.Body), out var transaction, out _))
            {
                continue;
            }

            Assert.Empty(transaction.Unloggable);
            foreach (var e in transaction.Events)
            {
                var room = record.Where(r => r.RoomId == e.RoomId).ToList();
                var history = new RoomHistory(
                    id => room.Find(r => r.EventId == id),
                    (type, key) => room.FindLast(r => r.Type == type && r.StateKey == key));
                yield return LineOf.Render(e, history, TimeZoneInfo.Utc, DateTimeOffset.UnixEpoch);
                record.Add(e);
            }
        }
    }
}
