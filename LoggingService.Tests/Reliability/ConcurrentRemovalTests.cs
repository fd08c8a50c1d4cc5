using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Files that somebody removes or replaces just while a transaction is written to them.</summary>
public class ConcurrentRemovalTests
{
    private readonly Ledger _ledger = new();

    [Theory]
    [InlineData("both deleted")]
    [InlineData("both saved")]
    [InlineData("folder removed")]
    public async Task A_transaction_whose_files_go_while_it_is_written_is_refused_and_there_when_it_comes_again(string touch)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = await RunningService.StartAsync(folder, homeserver);
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var room = Some.RoomId();
            await service.PushUntilAcceptedAsync(Ledger.Create([room]).Json);
            var pushed = Ledger.Create([room]);
            await using (await SyscallFaults.InjectAsync(service.Process.Id, "fsync", "delay_enter=500000"))
            {
                var before = LogFolder.JournalTimestamp(folder["logs"]);
                var answer = service.PushAsync(pushed.Json);
                await Wait.UntilAsync(() => LogFolder.JournalTimestamp(folder["logs"]) != before, "the journal is written");
                ExternalChanges.Apply(touch, folder["logs"], room, Random.Shared);
                Assert.InRange(await answer, 500, 599);
            }

            await service.PushUntilAcceptedAsync(pushed.Json);
            _ledger.Acknowledge(pushed);
        }

        Assert.Equal(0, await service.Process.StopAsync());
        _ledger.AssertComplete(folder["logs"], "files touched by others", $"{touch}, between the journal's write and the file's", rounds);
    }
}
