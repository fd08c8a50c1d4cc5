using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A homeserver times out and resends a transaction on a new connection while the first is still being written: each event is
/// logged once, and no request gets a 200 before that.
/// </summary>
public class ResendTests
{
    private readonly Random _random = new(20261124);
    private readonly AcknowledgedEvents _acknowledged = new();
    private readonly string[] _rooms = [.. Enumerable.Range(0, 3).Select(_ => Some.RoomId())];

    [Fact]
    public async Task A_transaction_resent_during_a_slow_write_is_logged_once()
    {
        var rounds = Trial.Scale(3, 40);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Create();
            await using (await SyscallFaults.InjectAsync(run.Service.Id, "fdatasync", "delay_enter=700000"))
            {
                var statuses = await ResendAsync(run.Client, events, run.Logs, aborts: 4);
                Assert.All(statuses, status => Assert.Equal(200, status));
            }

            await AcknowledgeAndCheckAsync(ids, run.Logs, "a slow disk");
        }

        const string method = "fdatasync delayed (strace); 4 aborted, then 3 concurrent requests, all during the first";
        _acknowledged.AssertComplete("slow service", method, rounds);
    }

    [Fact]
    public async Task A_transaction_resent_during_a_failing_write_fails_too_and_sent_again_is_logged_once()
    {
        var rounds = Trial.Scale(3, 40);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Create();
            await using (await SyscallFaults.InjectAsync(run.Service.Id, "fdatasync", "error=EIO:delay_enter=300000"))
            {
                var statuses = await ResendAsync(run.Client, events, run.Logs, aborts: 3);
                Assert.All(statuses, status => Assert.InRange(status, 500, 599));
            }

            await run.Client.PushUntilAcceptedAsync($"again {round}", events);
            await AcknowledgeAndCheckAsync(ids, run.Logs, "a slow, failing disk");
        }

        const string method = "fdatasync delayed with EIO (strace); 3 aborted and 3 concurrent requests, all 5xx; then accepted";
        _acknowledged.AssertComplete("slow service", method, rounds);
    }

    [Fact]
    public async Task A_transaction_resent_to_a_stopped_service_is_logged_once()
    {
        var rounds = Trial.Scale(3, 60);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Create();
            await SignalAsync("STOP", run.Service.Id);
            List<Task<int>> sent;
            try
            {
                sent = [.. Enumerable.Range(0, 3).Select(_ => run.Client.PushAsync("1", events))];
                for (var i = 0; i < 4; i++)
                    await AbortAsync(run.Client, events, _random.Next(20, 120));
            }
            finally
            {
                await SignalAsync("CONT", run.Service.Id);
            }

            Assert.All(await Task.WhenAll(sent), status => Assert.Equal(200, status));
            await AcknowledgeAndCheckAsync(ids, run.Logs, "a stopped service");
        }

        _acknowledged.AssertComplete("slow service", "SIGSTOP; 4 aborted and 3 concurrent requests, then SIGCONT", rounds);
    }

    [Fact]
    public async Task An_old_event_that_was_removed_and_is_sent_again_just_before_a_kill_is_logged_once()
    {
        var rounds = Trial.Scale(2, 20);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Create();
            await run.Client.PushUntilAcceptedAsync("1", events);
            await run.Client.PushUntilAcceptedAsync("2", [.. ids.Select(e => Redaction(e.Room, e.Id))]);
            await AcknowledgeAndCheckAsync(ids, run.Logs, "the first push", isChecked: false);
            await run.Service.KillAsync();
            await run.RestartAsync();
            var before = TextOf(run.Logs);

            // As the homeserver shows them now: without their content.
            var (newIds, newEvents) = Create();
            var again = ids.Select(e => Some.Message(e.Room, "", e.Id).Replace("{\"body\":\"\",\"msgtype\":\"m.text\"}", "{}"));
            await run.Client.PushUntilAcceptedAsync("3", [.. again.Take(ids.Count / 2), .. newEvents, .. again.Skip(ids.Count / 2)]);
            await run.Service.KillAsync();
            await run.RestartAsync();
            await AcknowledgeAndCheckAsync(newIds, run.Logs, "a kill", isChecked: false);
            Assert.All(before, text => Assert.StartsWith(text.Value, File.ReadAllText(text.Key), StringComparison.Ordinal));
            Assert.All(_rooms, room => Assert.Distinct(LogFolder.EventIds(run.Logs, room)));
        }

        _acknowledged.AssertComplete("resend", "events that were redacted, sent again without content, SIGKILL after the 200", rounds);
    }

    [Fact]
    public async Task The_same_event_in_concurrent_transactions_just_before_a_kill_is_logged_once()
    {
        var rounds = Trial.Scale(3, 40);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Create();
            await SignalAsync("STOP", run.Service.Id);
            var sent = Enumerable.Range(0, 6)
                .Select(i => run.Client.PushAsync($"{i}", _random.GetItems(events.ToArray(), 10).Concat(events)))
                .ToList();
            await SignalAsync("CONT", run.Service.Id);
            Assert.All(await Task.WhenAll(sent), status => Assert.Equal(200, status));
            if (round % 2 == 0)
            {
                await run.Service.KillAsync();
                await run.RestartAsync();
            }

            await AcknowledgeAndCheckAsync(ids, run.Logs, "concurrent transactions");
        }

        _acknowledged.AssertComplete("resend", "the same events several times in 6 transactions at once, SIGKILL after the 200", rounds);
    }

    private static string Redaction(string room, string id) => Some.Message(room)
        .Replace("m.room.message", "m.room.redaction")
        .Replace("\"content\":{", $"\"redacts\":\"{id}\",\"content\":{{");

    private Dictionary<string, string> TextOf(string logs) => _rooms.Where(room => Directory.Exists(Path.Combine(logs, room)))
        .SelectMany(room => Directory.GetFiles(Path.Combine(logs, room), "2*.log"))
        .ToDictionary(path => path, File.ReadAllText);

    /// <summary>Aborts the first request while it is being written, and others; then waits for three.</summary>
    private async Task<int[]> ResendAsync(TransactionClient client, IReadOnlyList<string> events, string logs, int aborts)
    {
        var before = LogFolder.JournalTimestamp(logs);
        using var abort = new CancellationTokenSource();
        var first = client.PushAsync("1", events, abort.Token);
        await Wait.UntilAsync(
            () => LogFolder.JournalTimestamp(logs) != before || first.IsCompleted, "the first request is being written");
        await abort.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        for (var i = 1; i < aborts; i++)
            await AbortAsync(client, events, _random.Next(10, 100));
        return await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => client.PushAsync("1", events)));
    }

    private static async Task AbortAsync(TransactionClient client, IReadOnlyList<string> events, int milliseconds)
    {
        using var abort = new CancellationTokenSource(milliseconds);
        try
        {
            await client.PushAsync("1", events, abort.Token);
        }
        catch (OperationCanceledException)
        {
            // Aborted; a response is possible as well.
        }
    }

    private (List<(string Room, string Id)> Ids, List<string> Events) Create()
    {
        var count = _random.Next(1, 20);
        var ids = Enumerable.Range(0, count).Select(_ => (Room: _rooms[_random.Next(_rooms.Length)], Id: Some.EventId())).ToList();
        return (ids, [.. ids.Select(e => Some.Message(e.Room, $"message {e.Id} {new string('x', _random.Next(200))}", e.Id))]);
    }

    private async Task AcknowledgeAndCheckAsync(List<(string Room, string Id)> ids, string logs, string after, bool isChecked = true)
    {
        ids.ForEach(e => _acknowledged.Add(e.Room, e.Id));
        foreach (var room in _rooms)
        {
            await _acknowledged.UntilLoggedAsync(logs, room);
            if (isChecked)
                _acknowledged.Check(logs, room, after);
        }
    }

    private static async Task SignalAsync(string signal, int processId) =>
        Assert.Equal(0, (await ChildProcess.RunAsync("kill", [$"-{signal}", $"{processId}"])).ExitCode);

    private static async Task<Run> StartAsync()
    {
        var run = new Run(TempFolder.ForCaller(), new FakeHomeserver());
        File.WriteAllText(run.Folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        await run.RestartAsync();
        return run;
    }

    private sealed record Run(TempFolder Folder, FakeHomeserver Homeserver) : IAsyncDisposable
    {
        public ServiceProcess Service { get; private set; } = null!;

        public TransactionClient Client { get; private set; } = null!;

        public string Logs => Folder["logs"];

        /// <summary>Starts the service, for the first time or after a kill.</summary>
        public async Task RestartAsync()
        {
            await DisposeServiceAsync();
            var url = $"http://127.0.0.1:{FreePort.Next()}";
            Service = ServiceProcess.Start(Folder.Path, "--homeserver", Homeserver.Address, "--urls", url);
            Client = new(url);
            await Client.WaitUntilListeningAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await DisposeServiceAsync();
            Homeserver.Dispose();
            Folder.Dispose();
        }

        private async Task DisposeServiceAsync()
        {
            if (Service is not null)
            {
                Client.Dispose();
                await Service.DisposeAsync();
            }
        }
    }
}
