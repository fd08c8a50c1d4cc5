using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A homeserver times out and resends a transaction on a new connection while the first is still being written: each event is
/// logged once, and every request gets the result of the one that was written.
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
            await using (await SyscallFaults.InjectAsync(run.Service.Id, "fsync", "delay_enter=700000"))
            {
                var statuses = await ResendAsync(run.Client, events, run.Logs, aborts: 4);
                Assert.All(statuses, status => Assert.Equal(200, status));
            }

            AcknowledgeAndCheck(ids, run.Logs, "a slow disk");
        }

        const string method = "fsync delayed (strace); 4 aborted, then 3 concurrent requests, all during the first";
        _acknowledged.AssertComplete("slow service", method, rounds);
    }

    [Fact]
    public async Task A_transaction_resent_during_a_failing_write_fails_too_and_is_finally_logged_once()
    {
        var rounds = Trial.Scale(3, 40);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Create();
            await using (await SyscallFaults.InjectAsync(run.Service.Id, "fsync", "error=EIO:delay_enter=300000"))
            {
                var statuses = await ResendAsync(run.Client, events, run.Logs, aborts: 3);
                Assert.All(statuses, status => Assert.InRange(status, 500, 599));
                foreach (var room in _rooms)
                    Assert.Empty(LogFolder.EventIds(run.Logs, room).Intersect(ids.Select(e => e.Id)));
            }

            await run.Client.PushUntilAcceptedAsync($"again {round}", events);
            AcknowledgeAndCheck(ids, run.Logs, "a slow, failing disk");
        }

        const string method = "fsync delayed with EIO (strace); 3 aborted and 3 concurrent requests, all 5xx; then accepted";
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
            AcknowledgeAndCheck(ids, run.Logs, "a stopped service");
        }

        _acknowledged.AssertComplete("slow service", "SIGSTOP; 4 aborted and 3 concurrent requests, then SIGCONT", rounds);
    }

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

    private void AcknowledgeAndCheck(List<(string Room, string Id)> ids, string logs, string after)
    {
        ids.ForEach(e => _acknowledged.Add(e.Room, e.Id));
        Array.ForEach(_rooms, room => _acknowledged.Check(logs, room, after));
    }

    private static async Task SignalAsync(string signal, int processId) =>
        Assert.Equal(0, (await ChildProcess.RunAsync("kill", [$"-{signal}", $"{processId}"])).ExitCode);

    private static async Task<Run> StartAsync()
    {
        var folder = TempFolder.ForCaller();
        var homeserver = new FakeHomeserver();
        File.WriteAllText(folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
        var run = new Run(folder, homeserver, service, new(url));
        await run.Client.WaitUntilListeningAsync();
        return run;
    }

    private sealed record Run(TempFolder Folder, FakeHomeserver Homeserver, ServiceProcess Service, TransactionClient Client)
        : IAsyncDisposable
    {
        public string Logs => Folder["logs"];

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await Service.DisposeAsync();
            Homeserver.Dispose();
            Folder.Dispose();
        }
    }
}
