using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Files that somebody removes or replaces just while a transaction is written to them.</summary>
public class RemovedMeanwhileTests
{
    private readonly Ledger _ledger = new();

    [Theory]
    [InlineData("removed")]
    [InlineData("replaced")]
    [InlineData("folder removed")]
    public async Task A_transaction_whose_files_go_while_it_is_written_is_refused_and_there_when_it_comes_again(string how)
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
                var before = Written(folder);
                var answer = service.PushAsync(pushed.Json);
                await Soon.IsTrueAsync(() => Written(folder) != before, "the journal is written");
                Touch(folder["logs", room], how);
                Assert.InRange(await answer, 500, 599);
            }

            await service.PushUntilTakenAsync(pushed.Json);
            _ledger.Acknowledge(pushed);
        }

        Assert.Equal(0, await service.Process.StopAsync());
        _ledger.Holds(folder["logs"], "files touched by others", $"{how}, between the journal's write and the file's", rounds);
    }

    private static long Written(TempFolder folder) => LogFolder.Segments(folder["logs"]).Sum(path => File.Exists(path) ? new FileInfo(path).LastWriteTimeUtc.Ticks : 0);

    private static void Touch(string room, string how)
    {
        if (how == "folder removed")
        {
            Directory.Delete(room, recursive: true);
            return;
        }

        foreach (var file in Directory.GetFiles(room, "2*"))
        {
            if (how == "replaced")
            {
                File.Copy(file, file + ".edited");
                File.Move(file + ".edited", file, overwrite: true);
            }
            else
            {
                File.Delete(file);
            }
        }
    }
}
