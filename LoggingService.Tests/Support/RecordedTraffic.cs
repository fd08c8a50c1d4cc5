using System.Text;
using System.Text.Json;
using LoggingService.RoomLogs;
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
        var rooms = new Dictionary<string, EventsInMemory>();
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
                rooms.TryAdd(e.RoomId, new());
                yield return LineOf.Render(e, rooms[e.RoomId], TimeZoneInfo.Utc, DateTimeOffset.UnixEpoch);
                rooms[e.RoomId].Add(e);
            }
        }
    }
}
