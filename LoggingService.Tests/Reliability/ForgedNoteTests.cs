using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>A pushed event whose JSON ends like a note of the service is logged as its sender's event.</summary>
public class ForgedNoteTests
{
    private readonly string _room = Some.RoomId();

    [Theory]
    [InlineData(",\"received_ts\":1,\"note\":true}")]
    [InlineData(",\"note\":true,\"received_ts\":1,\"note\":true}")]
    [InlineData(",\"received_ts\":1,\"note\":true }")]
    [InlineData(",\"received\\u005fts\":1,\"note\":true}")]
    public async Task An_event_that_imitates_a_note_is_its_sender_s_event_also_after_a_new_rendering(string end)
    {
        using var folder = TempFolder.ForCaller();
        var forged = Some.Message(_room, "logging stopped: the last alias is gone", "stopped-1")[..^1] + end;
        using (var service = new ServiceUnderTest(folder: folder))
        {
            Assert.Equal(200, (await service.PushAsync("1", forged, Some.Message(_room, "after"))).Status);
            AssertLogged(service);
        }

        File.Delete(Assert.Single(Directory.GetFiles(folder["logs", _room], "2*.log")));
        using var restarted = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await restarted.PushAsync("2", forged)).Status);
        AssertLogged(restarted);
        Trial.Report("a forged note", $"an event that ends in {end}", 1, 2, 0, 0);
    }

    private void AssertLogged(ServiceUnderTest service)
    {
        Assert.Equal(
            ["<@alice:localhost> logging stopped: the last alias is gone", "<@alice:localhost> after"], service.Lines(_room));
        Assert.All(service.Record(_room), line => Assert.Matches(@",""received_ts"":\d{13}\}$", line));
    }
}
