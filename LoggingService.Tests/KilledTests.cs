using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>SIGKILL at any moment under load: what was acknowledged is in the logs, once.</summary>
public class KilledTests
{
    private const int Rounds = 20;
    private readonly Random _random = new(20261123);
    private readonly ConcurrentDictionary<string, bool> _acknowledged = new();
    private int _made;

    private sealed record Pushed(string Id, IReadOnlyList<(string Room, string EventId, string Json)> Events);

    [Fact]
    public async Task A_service_that_is_killed_twenty_times_has_every_acknowledged_event_once()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        File.WriteAllText(folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        var rooms = Enumerable.Range(0, 8).Select(_ => Some.RoomId()).ToArray();
        var queues = Enumerable.Range(0, 3).Select(_ => new List<Pushed>()).ToArray();
        var everPushed = new HashSet<string>();

        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var queue in queues)
            {
                Resort(queue);
                queue.AddRange(Enumerable.Range(0, round < Rounds ? 150 : 5).Select(_ => Make(rooms)));
                everPushed.UnionWith(queue.SelectMany(pushed => pushed.Events).Select(e => e.EventId));
            }

            var url = $"http://127.0.0.1:{FreePort.Next()}";
            await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
            var before = _acknowledged.Count;
            var sending = Task.WhenAll(queues.Select(queue => Task.Run(() => SendAsync(service, url, queue))));
            if (round < Rounds)
            {
                await Soon.IsTrueAsync(() => _acknowledged.Count > before || service.HasExited, "the first transaction of a round was taken");
                await Task.Delay(_random.Next(0, 400), TestContext.Current.CancellationToken);
                await service.KillAsync();
                await sending;
            }
            else
            {
                await sending;
                Assert.Equal(0, await service.StopAsync());
            }
        }

        Assert.Empty(queues.SelectMany(queue => queue));
        var logged = rooms.SelectMany(room => LogFolder.EventIds(folder["logs"], room)).ToList();
        Assert.Equal(logged.Count, logged.Distinct().Count());
        Assert.Equal(everPushed.Order(StringComparer.Ordinal), logged.Order(StringComparer.Ordinal));
        LogFolder.AssertLineForLine(folder["logs"]);
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        TestContext.Current.TestOutputHelper!.WriteLine($"{Rounds} kills, {logged.Count} events");
    }

    private Pushed Make(string[] rooms)
    {
        var events = Enumerable.Range(0, _random.Next(1, 21)).Select(_ =>
        {
            var (room, id) = (rooms[_random.Next(rooms.Length)], Some.EventId());
            return (room, id, Some.Message(room, $"message {id} {new string('x', _random.Next(300))}", id));
        });
        return new($"t{++_made}", [.. events]);
    }

    // A homeserver that restarted may number anew; transactions may come in another order.
    private void Resort(List<Pushed> queue)
    {
        if (_random.Next(2) == 0)
        {
            var again = queue.Select(pushed => pushed with { Id = $"t{_random.Next(1000)}" }).ToArray();
            _random.Shuffle(again);
            queue.Clear();
            queue.AddRange(again);
        }
    }

    private async Task SendAsync(ServiceProcess service, string url, List<Pushed> queue)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        while (queue.Count > 0 && !service.HasExited)
        {
            try
            {
                var body = $"{{\"events\":[{string.Join(',', queue[0].Events.Select(e => e.Json))}]}}";
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var response = await http.PutAsync($"{url}/_matrix/app/v1/transactions/{queue[0].Id}", content, TestContext.Current.CancellationToken);
                Assert.True(response.IsSuccessStatusCode);
                foreach (var e in queue[0].Events)
                    _acknowledged[e.EventId] = true;
                queue.RemoveAt(0);
            }
            catch (HttpRequestException)
            {
                // Not there yet, or killed.
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }
}
