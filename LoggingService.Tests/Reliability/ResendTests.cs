using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A homeserver gives up waiting and sends the same transaction on a new connection, while the first is still being
/// written: each event is there once, and every sending is answered with the fate of the one that was written.
/// </summary>
public class ResendTests
{
    private readonly Random _random = new(20261124);
    private readonly AcknowledgedEvents _acknowledged = new();
    private readonly string[] _rooms = [.. Enumerable.Range(0, 3).Select(_ => Some.RoomId())];

    [Fact]
    public async Task What_is_sent_again_while_a_slow_disk_writes_it_is_there_once()
    {
        var rounds = Trial.Scale(3, 40);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Make();
            await using (await SyscallFaults.InjectAsync(run.Service.Id, "fsync", "delay_enter=700000"))
            {
                var statuses = await SendAgainAndAgainAsync(run.Client, events, run.Logs, hangUps: 4);
                Assert.All(statuses, status => Assert.Equal(200, status));
            }

            Keep(ids, run.Logs, "a slow disk");
        }

        _acknowledged.AssertComplete("our own slowness", "fsync delayed (strace); 4 hang-ups, then 3 sendings at once, beside the first", rounds);
    }

    [Fact]
    public async Task What_is_sent_again_while_the_first_fails_fails_too_and_is_there_once_in_the_end()
    {
        var rounds = Trial.Scale(3, 40);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Make();
            await using (await SyscallFaults.InjectAsync(run.Service.Id, "fsync", "error=EIO:delay_enter=300000"))
            {
                var statuses = await SendAgainAndAgainAsync(run.Client, events, run.Logs, hangUps: 3);
                Assert.All(statuses, status => Assert.InRange(status, 500, 599));
                foreach (var room in _rooms)
                    Assert.Empty(LogFolder.EventIds(run.Logs, room).Intersect(ids.Select(e => e.Id)));
            }

            await run.Client.PushUntilAcceptedAsync($"again {round}", events);
            Keep(ids, run.Logs, "a disk that was slow and failed");
        }

        _acknowledged.AssertComplete("our own slowness", "fsync delayed and EIO (strace); 3 hang-ups, 3 sendings at once, all 5xx; then taken", rounds);
    }

    [Fact]
    public async Task What_is_sent_again_while_the_service_stands_still_is_there_once()
    {
        var rounds = Trial.Scale(3, 60);
        await using var run = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            var (ids, events) = Make();
            await SignalAsync("STOP", run.Service.Id);
            List<Task<int>> sent;
            try
            {
                sent = [.. Enumerable.Range(0, 3).Select(_ => run.Client.PushAsync("1", events))];
                foreach (var patience in Enumerable.Range(0, 4).Select(_ => _random.Next(20, 120)))
                    await HangUpAsync(run.Client, events, patience);
            }
            finally
            {
                await SignalAsync("CONT", run.Service.Id);
            }

            Assert.All(await Task.WhenAll(sent), status => Assert.Equal(200, status));
            Keep(ids, run.Logs, "a service that stood still");
        }

        _acknowledged.AssertComplete("our own slowness", "SIGSTOP; 4 hang-ups and 3 sendings at once, then SIGCONT", rounds);
    }

    /// <summary>The first sending hangs up when the disk is at work on it; so do others; three stay.</summary>
    private async Task<int[]> SendAgainAndAgainAsync(TransactionClient client, IReadOnlyList<string> events, string logs, int hangUps)
    {
        var before = LogFolder.JournalTimestamp(logs);
        using var hangUp = new CancellationTokenSource();
        var first = client.PushAsync("1", events, hangUp.Token);
        await Wait.UntilAsync(() => LogFolder.JournalTimestamp(logs) != before || first.IsCompleted, "the first is being written");
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        for (var i = 1; i < hangUps; i++)
            await HangUpAsync(client, events, _random.Next(10, 100));
        return await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => client.PushAsync("1", events)));
    }

    private static async Task HangUpAsync(TransactionClient client, IReadOnlyList<string> events, int milliseconds)
    {
        using var hangUp = new CancellationTokenSource(milliseconds);
        try
        {
            await client.PushAsync("1", events, hangUp.Token);
        }
        catch (OperationCanceledException)
        {
            // As meant; an answer is as good.
        }
    }

    private (List<(string Room, string Id)> Ids, List<string> Events) Make()
    {
        var ids = Enumerable.Range(0, _random.Next(1, 20)).Select(_ => (Room: _rooms[_random.Next(_rooms.Length)], Id: Some.EventId())).ToList();
        return (ids, [.. ids.Select(e => Some.Message(e.Room, $"message {e.Id} {new string('x', _random.Next(200))}", e.Id))]);
    }

    private void Keep(List<(string Room, string Id)> ids, string logs, string after)
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
        var run = new Run(folder, homeserver, ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url), new(url));
        await run.Client.WaitUntilListeningAsync();
        return run;
    }

    private sealed record Run(TempFolder Folder, FakeHomeserver Homeserver, ServiceProcess Service, TransactionClient Client) : IAsyncDisposable
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
