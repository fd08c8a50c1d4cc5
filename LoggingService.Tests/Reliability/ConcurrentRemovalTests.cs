using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Files that are removed or replaced between the write of a transaction to the journal and its lines.</summary>
public class ConcurrentRemovalTests
{
    private readonly Ledger _ledger = new();

    [Theory]
    [InlineData("both deleted")]
    [InlineData("both saved")]
    [InlineData("folder removed")]
    public async Task A_transaction_whose_files_are_removed_meanwhile_is_acknowledged_and_logged(string change)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = await RunningService.StartAsync(folder, homeserver);
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var room = Some.RoomId();
            await service.PushUntilAcceptedAsync(Ledger.Create([room]).Json);
            var transaction = Ledger.Create([room]);
            await using (await SyscallFaults.InjectAsync(service.Process.Id, "fdatasync", "delay_enter=500000"))
            {
                var before = LogFolder.JournalTimestamp(folder["logs"]);
                var status = service.PushAsync(transaction.Json);
                await Wait.UntilAsync(() => LogFolder.JournalTimestamp(folder["logs"]) != before, "the journal is being written");
                ExternalChanges.Apply(change, folder["logs"], room, Random.Shared);
                Assert.Equal(200, await status);
            }

            _ledger.Acknowledge(transaction);
            await Wait.UntilAsync(() => Ledger.CountEvents(folder["logs"], transaction).Sum() == 1, "the event is logged");
        }

        Assert.Equal(0, await service.Process.StopAsync());
        var method = $"{change}, between the write to the journal and to the files";
        _ledger.AssertComplete(folder["logs"], "files changed externally", method, rounds);
    }
}
