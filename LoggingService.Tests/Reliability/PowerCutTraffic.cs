using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>The transactions of a homeserver, with random events and rooms, and which of them the service has acknowledged.</summary>
internal sealed partial class PowerCutTraffic(Random random)
{
    private readonly Dictionary<string, Transaction> _transactions = [];

    /// <summary>The rooms so far.</summary>
    public List<string> Rooms { get; } = [.. Enumerable.Range(0, 5).Select(_ => Some.RoomId())];

    /// <summary>The ids of transactions that reached the service.</summary>
    public HashSet<string> Received { get; } = [];

    /// <summary>The ids of transactions with a 200.</summary>
    public HashSet<string> Acknowledged { get; } = [];

    public Transaction this[string id] => _transactions[id];

    /// <param name="Repeated">Events of other transactions, which the service may have logged already.</param>
    public sealed record Transaction(
        string Id, IReadOnlyList<(string EventId, string Json)> Events, string? Unloggable, IReadOnlyList<string> Repeated)
    {
        public string Body
        {
            get
            {
                var entries = Repeated.Concat(Events.Select(e => e.Json));
                if (Unloggable is not null)
                    entries = entries.Append(JsonSerializer.Serialize(Unloggable));
                return $"{{\"events\":[{string.Join(',', entries)}]}}";
            }
        }
    }

    public List<Transaction> Create(int count) => [.. Enumerable.Range(0, count).Select(_ => Create())];

    private Transaction Create()
    {
        if (random.Next(6) == 0)
            Rooms.Add(Some.RoomId());
        var events = Enumerable.Range(0, 1 + random.Next(8)).Select(_ =>
        {
            var room = Rooms[^(1 + random.Next(Math.Min(Rooms.Count, 8)))];
            var id = Some.EventId();
            return (id, Some.Message(room, $"message {id} {new string('x', random.Next(random.Next(5) == 0 ? 9000 : 100))}", id));
        });
        var sent = _transactions.Values.SelectMany(transaction => transaction.Events).Select(e => e.Json).ToArray();
        var repeated = sent.Length > 0 && random.Next(4) == 0 ? random.GetItems(sent, 1 + random.Next(2)) : [];
        return Add([.. events], random.Next(8) == 0 ? $"no event {Some.EventId()}" : null, repeated);
    }

    /// <summary>Creates an event for each room.</summary>
    public List<(string, string)> CreateForEachRoom()
    {
        return Rooms.ConvertAll(CreateMessage);

        static (string, string) CreateMessage(string room)
        {
            var id = Some.EventId();
            return (id, Some.Message(room, $"message {id}", id));
        }
    }

    /// <summary>Adds a transaction of these events.</summary>
    public Transaction Add(IReadOnlyList<(string, string)> events, string? unloggable = null, IReadOnlyList<string>? repeated = null)
    {
        var transaction = new Transaction($"t{_transactions.Count}", events, unloggable, repeated ?? []);
        _transactions.Add(transaction.Id, transaction);
        return transaction;
    }

    /// <summary>Resends of unacknowledged transactions with new ids and in another order, as by a restarted homeserver.</summary>
    public List<Transaction> Unacknowledged()
    {
        var resends = Unacknowledged(_transactions.Values).ToArray();
        random.Shuffle(resends);
        return [.. resends.Select(transaction => Add(transaction.Events, transaction.Unloggable))];
    }

    /// <summary>The transactions whose events weren't acknowledged, under whatever transaction id.</summary>
    public IEnumerable<Transaction> Unacknowledged(IEnumerable<Transaction> transactions)
    {
        var acknowledged = Acknowledged.Select(id => _transactions[id].Events).ToHashSet();
        return transactions.Where(transaction => !acknowledged.Contains(transaction.Events))
            .DistinctBy(transaction => transaction.Events);
    }

    /// <summary>Sends transactions, one after the other on each connection, until the service exits.</summary>
    public static async Task SendAsync(ServiceProcess service, string url, params IReadOnlyList<Transaction>[] connections) =>
        await Task.WhenAll(connections.Select(connection => Task.Run(async () =>
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
            var next = 0;
            while (next < connection.Count && !service.HasExited)
            {
                try
                {
                    using var content = new StringContent(connection[next].Body, Encoding.UTF8, "application/json");
                    var target = $"{url}/_matrix/app/v1/transactions/{connection[next].Id}";
                    using var response = await http.PutAsync(target, content, TestContext.Current.CancellationToken);
                    Assert.True(response.IsSuccessStatusCode);
                    next++;
                }
                catch (HttpRequestException)
                {
                    // Not listening yet, or killed.
                    await Task.Delay(20, TestContext.Current.CancellationToken);
                }
            }
        })));

    // A complete line, as the service defines it.
    [GeneratedRegex("""^\{"content":\{.*"event_id":"(?<id>[^"]+)".*,"received_ts":[0-9]+\}$""")]
    public static partial Regex EventId();

    [GeneratedRegex("^PUT /_matrix/app/v1/transactions/(?<id>[^ ]+) ")]
    public static partial Regex Request();
}
