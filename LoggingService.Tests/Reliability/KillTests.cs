using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>SIGKILL at any moment, of the start, of the traffic, of a checkpoint, of a stop: what was acknowledged is in the logs, once.</summary>
public class KillTests
{
    private const int MostConnections = 8;

    // Where the kill comes after a moment that differs from round to round: the seed only makes the traffic the same.
    private readonly Random _random = new(20261123);
    private readonly string[] _rooms = [.. Enumerable.Range(0, 100).Select(_ => Some.RoomId())];
    private readonly List<Pushed>[] _queues = [.. Enumerable.Range(0, MostConnections).Select(_ => new List<Pushed>())];
    private readonly HashSet<string> _acknowledged = [];
    private readonly List<Pushed> _toRepeat = [];
    private readonly Lock _lock = new();
    private int _made;
    private volatile bool _isStopping;

    private enum Moment
    {
        Traffic,
        Start,
        Stop,

        /// <summary>Traffic that fills a segment of the journal, so that a checkpoint runs beside it.</summary>
        Checkpoint,
    }

    private sealed record Pushed(string Id, IReadOnlyList<(string EventId, string Json)> Events);

    [Fact]
    public async Task A_service_that_is_killed_again_and_again_has_every_acknowledged_event_once()
    {
        var rounds = Trial.Scale(20, 200);
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        File.WriteAllText(folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        var everPushed = new HashSet<string>();
        var timeToServe = TimeSpan.FromSeconds(1);
        for (var round = 0; round < rounds; round++)
        {
            var moment = (Moment)(round % 4);
            var url = $"http://127.0.0.1:{FreePort.Next()}";
            var isLarge = moment == Moment.Checkpoint;
            var sending = _queues[..(isLarge ? MostConnections : 1 + _random.Next(MostConnections))];
            foreach (var queue in sending)
            {
                Resort(queue);
                queue.AddRange(Enumerable.Range(0, isLarge ? 3 : Math.Max(0, 30 - queue.Count)).Select(_ => Make(isLarge)));
                everPushed.UnionWith(queue.SelectMany(pushed => pushed.Events).Select(e => e.EventId));
            }

            _isStopping = false;
            var begun = Stopwatch.StartNew();
            await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
            var before = Acknowledged;
            var sent = Task.WhenAll(sending.Select(queue => Task.Run(() => SendAsync(service, url, queue))));
            if (moment == Moment.Start)
            {
                // Recovery is in the last part of it.
                await Task.Delay(timeToServe * (0.5 + (0.5 * _random.NextDouble())), TestContext.Current.CancellationToken);
            }
            else
            {
                while (Acknowledged == before && !service.HasExited && begun.Elapsed < ServiceProcess.DefaultLimit)
                    await Task.Delay(10, TestContext.Current.CancellationToken);
                timeToServe = begun.Elapsed;
                if (moment == Moment.Checkpoint)
                    await Wait.UntilAsync(() => sent.IsCompleted || IsCheckpointDue(folder["logs"]), "the journal was due for a checkpoint");
                await Task.Delay(_random.Next(0, moment == Moment.Checkpoint ? 1000 : 400), TestContext.Current.CancellationToken);
                if (moment == Moment.Stop)
                {
                    _isStopping = true;
                    service.Terminate();
                    await Task.Delay(_random.Next(0, 100), TestContext.Current.CancellationToken);
                }
            }

            await service.KillAsync();
            await sent;
        }

        await SendTheRestAndStopAsync(folder, homeserver);
        var logged = _rooms.SelectMany(room => LogFolder.EventIds(folder["logs"], room)).ToList();
        var there = logged.ToHashSet();
        LogFolder.AssertLineForLine(folder["logs"]);
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        Assert.Equal(everPushed.Count, _acknowledged.Count);
        Assert.Subset(everPushed, there);
        Trial.Report("killed at any moment", "SIGKILL in traffic, start, stop, checkpoint", rounds, Acknowledged, _acknowledged.Count(id => !there.Contains(id)), logged.Count - there.Count);
    }

    // Looked for once a second: when a segment has passed 16 MiB, or a newer one has begun.
    private static bool IsCheckpointDue(string logs)
    {
        var segments = LogFolder.Segments(logs);
        return segments.Length > 1 || (segments is [var only] && new FileInfo(only) is { Exists: true, Length: > 16 * 1024 * 1024 });
    }

    private int Acknowledged
    {
        get
        {
            lock (_lock)
                return _acknowledged.Count;
        }
    }

    private async Task SendTheRestAndStopAsync(TempFolder folder, FakeHomeserver homeserver)
    {
        _isStopping = false;
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
        await service.WaitForLineAsync("Writing logs to ");
        await Task.WhenAll(_queues.Select(queue => Task.Run(() => SendAsync(service, url, queue))));
        Assert.Equal(0, await service.StopAsync());
    }

    private Pushed Make(bool large)
    {
        var rooms = _random.GetItems(_rooms, 1 + _random.Next(_random.Next(2) == 0 ? 3 : 100));
        var events = Enumerable.Range(0, 1 + _random.Next(_random.Next(2) == 0 ? 5 : 100)).Select(_ =>
        {
            var (room, id) = (rooms[_random.Next(rooms.Length)], Some.EventId());
            return (id, Some.Message(room, $"message {id} {new string('x', large ? _random.Next(60_000) : _random.Next(300))}", id));
        }).ToList();

        // A homeserver that lost its own last moments sends what was acknowledged in them again, beside what is new.
        lock (_lock)
        {
            if (_toRepeat.Count > 0 && _random.Next(10) == 0)
                events.InsertRange(_random.Next(events.Count), _toRepeat[_random.Next(_toRepeat.Count)].Events);
        }

        return new($"t{++_made}", events);
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
                var pushed = queue[0];
                using var content = new StringContent($"{{\"events\":[{string.Join(',', pushed.Events.Select(e => e.Json))}]}}", Encoding.UTF8, "application/json");
                using var response = await http.PutAsync($"{url}/_matrix/app/v1/transactions/{pushed.Id}", content, TestContext.Current.CancellationToken);
                if (_isStopping && response.StatusCode != HttpStatusCode.OK)
                    continue;
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                queue.RemoveAt(0);
                lock (_lock)
                {
                    _acknowledged.UnionWith(pushed.Events.Select(e => e.EventId));

                    // Few, and never those of large rounds: what is sent again could hide that it had been lost.
                    if (pushed.Events.Count < 5 && _toRepeat.Count < 50)
                        _toRepeat.Add(pushed);
                }
            }
            catch (HttpRequestException)
            {
                // Not there yet, or killed.
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }
}
