using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>SIGKILL at any moment, during start, traffic, checkpoint or stop: every acknowledged event is logged exactly once.</summary>
public class KillTests
{
    private const int MaxConnections = 8;

    // The seed makes only the traffic reproducible: the kills come at varying moments.
    private readonly Random _random = new(20261123);
    private readonly string[] _rooms = [.. Enumerable.Range(0, 100).Select(_ => Some.RoomId())];
    private readonly List<Transaction>[] _queues = [.. Enumerable.Range(0, MaxConnections).Select(_ => new List<Transaction>())];
    private readonly HashSet<string> _acknowledged = [];
    private readonly List<Transaction> _toRepeat = [];
    private readonly Lock _lock = new();
    private int _created;
    private volatile bool _isStopping;

    private enum Moment
    {
        Traffic,
        Start,
        Stop,

        /// <summary>Traffic that fills a journal segment, so that a checkpoint runs concurrently.</summary>
        Checkpoint,
    }

    private sealed record Transaction(string Id, IReadOnlyList<(string EventId, string Json)> Events);

    [Fact]
    public async Task A_repeatedly_killed_service_has_every_acknowledged_event_once()
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
            var sending = _queues[..(isLarge ? MaxConnections : 1 + _random.Next(MaxConnections))];
            foreach (var queue in sending)
            {
                Reorder(queue);
                var missing = isLarge ? 3 : Math.Max(0, 30 - queue.Count);
                queue.AddRange(Enumerable.Range(0, missing).Select(_ => Create(isLarge)));
                everPushed.UnionWith(queue.SelectMany(transaction => transaction.Events).Select(e => e.EventId));
            }

            _isStopping = false;
            var clock = Stopwatch.StartNew();
            await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
            var before = Acknowledged;
            var sent = Task.WhenAll(sending.Select(queue => Task.Run(() => SendAsync(service, url, queue))));
            if (moment == Moment.Start)
            {
                // The replay is in the last part of the start.
                await Task.Delay(timeToServe * (0.5 + (0.5 * _random.NextDouble())), TestContext.Current.CancellationToken);
            }
            else
            {
                while (Acknowledged == before && !service.HasExited && clock.Elapsed < ServiceProcess.DefaultLimit)
                    await Task.Delay(10, TestContext.Current.CancellationToken);
                timeToServe = clock.Elapsed;
                if (moment == Moment.Checkpoint)
                    await Wait.UntilAsync(() => sent.IsCompleted || IsCheckpointDue(folder["logs"]), "a checkpoint is due");
                var delay = _random.Next(0, moment == Moment.Checkpoint ? 1000 : 400);
                await Task.Delay(delay, TestContext.Current.CancellationToken);
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

        await SendRemainingAndStopAsync(folder, homeserver);
        var logged = _rooms.SelectMany(room => LogFolder.EventIds(folder["logs"], room)).ToList();
        var distinct = logged.ToHashSet();
        LogFolder.AssertLineForLine(folder["logs"]);
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        Assert.Equal(everPushed.Count, _acknowledged.Count);
        Assert.Subset(everPushed, distinct);
        var lost = _acknowledged.Count(id => !distinct.Contains(id));
        const string method = "SIGKILL during traffic, start, stop and checkpoint";
        Trial.Report("killed at any moment", method, rounds, Acknowledged, lost, logged.Count - distinct.Count);
    }

    [Fact]
    public async Task A_start_after_a_kill_repairs_more_rooms_than_files_may_be_open()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        File.WriteAllText(folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        var rooms = Enumerable.Range(0, 700).Select(_ => Some.RoomId()).ToArray();
        var ledger = new Ledger();
        for (var start = 0; start < 3; start++)
        {
            var url = $"http://127.0.0.1:{FreePort.Next()}";
            await using var service = ServiceProcess.StartUnder(
                ["prlimit", "--nofile=1024", "--"], folder.Path, "--homeserver", homeserver.Address, "--urls", url);
            using var client = new TransactionClient(url);
            var transaction = Ledger.Create(rooms);
            await client.PushUntilAcceptedAsync($"{start}", transaction.Json);
            ledger.Acknowledge(transaction);
            if (start == 2)
                Assert.Equal(0, await service.StopAsync());
        }

        ledger.AssertComplete(folder["logs"], "killed at any moment", "700 rooms in the journal, at most 1,024 open files", 2);
    }

    // The service checks once a second: a segment is full, or almost, or there is a newer one.
    private static bool IsCheckpointDue(string logs)
    {
        var segments = LogFolder.Segments(logs);
        if (segments.Length != 1)
            return segments.Length > 1;
        var segment = new FileInfo(segments[0]);
        return segment.Exists && segment.Length > 28 * 1024 * 1024;
    }

    private int Acknowledged
    {
        get
        {
            lock (_lock)
                return _acknowledged.Count;
        }
    }

    private async Task SendRemainingAndStopAsync(TempFolder folder, FakeHomeserver homeserver)
    {
        _isStopping = false;
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
        await service.WaitForLineAsync("Writing logs to ");
        await Task.WhenAll(_queues.Select(queue => Task.Run(() => SendAsync(service, url, queue))));

        // A stop waits 3 s for the repairs of the last kill; the journal is dropped behind them.
        await Wait.UntilAsync(() => LogFolder.Segments(folder["logs"]).Length == 0, "the journal is empty", TimeSpan.FromMinutes(5));
        Assert.Equal(0, await service.StopAsync());
    }

    private Transaction Create(bool isLarge)
    {
        var rooms = _random.GetItems(_rooms, 1 + _random.Next(_random.Next(2) == 0 ? 3 : 100));
        var events = Enumerable.Range(0, 1 + _random.Next(_random.Next(2) == 0 ? 5 : 100)).Select(_ =>
        {
            var room = rooms[_random.Next(rooms.Length)];
            var id = Some.EventId();
            return (id, Some.Message(room, $"message {id} {new string('x', _random.Next(isLarge ? 60_000 : 300))}", id));
        }).ToList();

        // A homeserver that lost its latest state resends acknowledged events together with new ones.
        lock (_lock)
        {
            if (_toRepeat.Count > 0 && _random.Next(10) == 0)
                events.InsertRange(_random.Next(events.Count), _toRepeat[_random.Next(_toRepeat.Count)].Events);
        }

        _created++;
        return new($"t{_created}", events);
    }

    // A restarted homeserver may restart its numbering and send transactions in another order.
    private void Reorder(List<Transaction> queue)
    {
        if (_random.Next(2) == 0)
        {
            var reordered = queue.Select(transaction => transaction with { Id = $"t{_random.Next(1000)}" }).ToArray();
            _random.Shuffle(reordered);
            queue.Clear();
            queue.AddRange(reordered);
        }
    }

    private async Task SendAsync(ServiceProcess service, string url, List<Transaction> queue)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        while (queue.Count > 0 && !service.HasExited)
        {
            try
            {
                var transaction = queue[0];
                var json = $"{{\"events\":[{string.Join(',', transaction.Events.Select(e => e.Json))}]}}";
                using var content = new StringContent(json, Encoding.UTF8, "application/json");
                var target = $"{url}/_matrix/app/v1/transactions/{transaction.Id}";
                using var response = await http.PutAsync(target, content, TestContext.Current.CancellationToken);
                if (_isStopping && response.StatusCode != HttpStatusCode.OK)
                    continue;
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                queue.RemoveAt(0);
                lock (_lock)
                {
                    _acknowledged.UnionWith(transaction.Events.Select(e => e.EventId));

                    // Few, and none of large rounds: a resend could hide a loss.
                    if (transaction.Events.Count < 5 && _toRepeat.Count < 50)
                        _toRepeat.Add(transaction);
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet, or killed.
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }
}
