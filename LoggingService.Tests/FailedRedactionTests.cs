using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>With Redactions <c>erase</c>: what could not be erased before a stop.</summary>
public class FailedRedactionTests : ErasureTestBase
{
    [Fact]
    public async Task A_redaction_that_failed_for_days_is_applied_after_the_next_start()
    {
        var room = Path.Combine(Logs, Room);
        string[] obstacles = [Path.Combine(room, $"{FirstDay}.jsonl.new"), $"{Gz("jsonl")}.new"];
        using (var service = Start("erase"))
        {
            await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
            foreach (var obstacle in obstacles)
                Directory.CreateDirectory(Path.Combine(obstacle, "obstacle"));
            await PushAsync(service, Redaction("$redaction", Room, "$secret"));
            await Wait.UntilAsync(
                () => ReadRoomFile().Contains("\"pending_redactions_from\":\"2025-11-20\"", StringComparison.Ordinal),
                "it failed", () => Time.Advance(TimeSpan.FromSeconds(1)));
            for (var day = 1; day <= 3; day++)
            {
                await NextDayAsync(service);
                await PushAsync(service, Event($"$day{day}", Room, Bob, "m.room.message", Text("nothing of note")));
            }
        }

        Assert.NotEmpty(FilesWith(Logs, Secret));
        foreach (var obstacle in obstacles)
            Directory.Delete(obstacle, recursive: true);
        using var next = Start("erase");
        _ = next.Client;
        await Wait.UntilAsync(
            () => FilesWith(room, Secret).Count == 0 && !ReadRoomFile().Contains("pending", StringComparison.Ordinal),
            "the words are erased", () => Time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal($"<{Alice}, erased>", AllLines(Room, "log")[0]);

        string ReadRoomFile() => Path.Combine(room, "room.json") is var path && File.Exists(path) ? File.ReadAllText(path) : "";
    }
}
