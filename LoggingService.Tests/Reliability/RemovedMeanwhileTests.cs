using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Files that somebody removes or replaces just while a transaction is written to them.</summary>
public class RemovedMeanwhileTests
{
    private readonly Ledger _ledger = new();

    [Theory]
    [InlineData("both deleted")]
    [InlineData("both saved")]
    [InlineData("folder removed")]
    public async Task A_transaction_whose_files_go_while_it_is_written_is_refused_and_there_when_it_comes_again(string touch)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        await using var service = await RunningService.StartAsync(folder, homeserver);
        var rounds = Proof.Times(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var room = Some.RoomId();
            await service.PushUntilTakenAsync(Ledger.Make([room]).Json);
            var pushed = Ledger.Make([room]);
            await using (await FailingCalls.InjectAsync(service.Process.Id, "fsync", "delay_enter=500000"))
            {
                var before = LogFolder.JournalWrites(folder["logs"]);
                var answer = service.PushAsync(pushed.Json);
                await Soon.IsTrueAsync(() => LogFolder.JournalWrites(folder["logs"]) != before, "the journal is written");
                Touches.Do(touch, folder["logs"], room, Random.Shared);
                Assert.InRange(await answer, 500, 599);
            }

            await service.PushUntilTakenAsync(pushed.Json);
            _ledger.Acknowledge(pushed);
        }

        Assert.Equal(0, await service.Process.StopAsync());
        _ledger.Holds(folder["logs"], "files touched by others", $"{touch}, between the journal's write and the file's", rounds);
    }
}
