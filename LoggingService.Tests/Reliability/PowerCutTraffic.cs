using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>What a homeserver pushes to a service that dies now and then: any events in any rooms, of which it knows what was taken.</summary>
internal sealed class PowerCutTraffic(Random random)
{
    private readonly Dictionary<string, Pushed> _pushed = [];

    /// <summary>The rooms, more and more.</summary>
    public List<string> Rooms { get; } = [.. Enumerable.Range(0, 5).Select(_ => Some.RoomId())];

    /// <summary>The transactions that reached the service.</summary>
    public HashSet<string> Received { get; } = [];

    /// <summary>The transactions that were answered with 200.</summary>
    public HashSet<string> Acknowledged { get; } = [];

    /// <summary>A transaction by its id.</summary>
    public Pushed this[string id] => _pushed[id];

    /// <summary>A transaction.</summary>
    public sealed record Pushed(string Id, IReadOnlyList<(string EventId, string Json)> Events, string? Unloggable)
    {
        public string Body => $"{{\"events\":[{string.Join(',', Events.Select(e => e.Json).Concat(Unloggable is null ? [] : [JsonSerializer.Serialize(Unloggable)]))}]}}";
    }

    /// <summary>New transactions.</summary>
    public List<Pushed> Make(int transactions) => [.. Enumerable.Range(0, transactions).Select(_ => Make())];

    private Pushed Make()
    {
        if (random.Next(6) == 0)
            Rooms.Add(Some.RoomId());
        var events = Enumerable.Range(0, 1 + random.Next(8)).Select(_ =>
        {
            var (room, id) = (Rooms[^(1 + random.Next(Math.Min(Rooms.Count, 8)))], Some.EventId());
            return (id, Some.Message(room, $"message {id} {new string('x', random.Next(random.Next(5) == 0 ? 9000 : 100))}", id));
        });
        return Keep([.. events], random.Next(8) == 0 ? $"no event {Some.EventId()}" : null);
    }

    /// <summary>An event in each room.</summary>
    public List<(string, string)> ToEachRoom() => [.. Rooms.Select(room => (Room: room, Id: Some.EventId())).Select(e => (e.Id, Some.Message(e.Room, $"message {e.Id}", e.Id)))];

    /// <summary>A transaction of these events.</summary>
    public Pushed Keep(IReadOnlyList<(string, string)> events, string? unloggable = null)
    {
        var pushed = new Pushed($"t{_pushed.Count}", events, unloggable);
        return _pushed[pushed.Id] = pushed;
    }

    /// <summary>Those without an answer, under new ids and in another order, as a homeserver may that has been restarted meanwhile.</summary>
    public List<Pushed> Unacknowledged()
    {
        var again = Unacknowledged(_pushed.Values).ToArray();
        random.Shuffle(again);
        return [.. again.Select(pushed => Keep(pushed.Events, pushed.Unloggable))];
    }

    /// <summary>Those of some transactions whose events were acknowledged in no other.</summary>
    public IEnumerable<Pushed> Unacknowledged(IEnumerable<Pushed> among)
    {
        var acknowledged = Acknowledged.Select(id => _pushed[id].Events).ToHashSet();
        return among.Where(pushed => !acknowledged.Contains(pushed.Events)).DistinctBy(pushed => pushed.Events);
    }

    /// <summary>Sends transactions, on each connection one after the other, as long as the service is there.</summary>
    public static async Task SendAsync(ServiceProcess service, string url, params IReadOnlyList<Pushed>[] connections) =>
        await Task.WhenAll(connections.Select(connection => Task.Run(async () =>
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
            for (var next = 0; next < connection.Count && !service.HasExited;)
            {
                try
                {
                    using var content = new StringContent(connection[next].Body, Encoding.UTF8, "application/json");
                    using var response = await http.PutAsync($"{url}/_matrix/app/v1/transactions/{connection[next].Id}", content, TestContext.Current.CancellationToken);
                    Assert.True(response.IsSuccessStatusCode);
                    next++;
                }
                catch (HttpRequestException)
                {
                    // Not there yet, or killed.
                    await Task.Delay(20, TestContext.Current.CancellationToken);
                }
            }
        })));
}
