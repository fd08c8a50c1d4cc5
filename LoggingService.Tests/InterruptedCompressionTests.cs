using System.Globalization;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>A compression that was killed, or whose file changed: nothing is lost, and the next run ends what one began.</summary>
public class InterruptedCompressionTests : CompressedDayTestBase
{
    [Theory]
    [InlineData("creation of the copy", "openat", "jsonl.gz.new", 1)]
    [InlineData("write of the copy", "pwrite64", "jsonl.gz.new", 1)]
    [InlineData("sync of the copy", "fsync", "jsonl.gz.new", 1)]
    [InlineData("rename of the copy", "rename", "jsonl.gz.new", 1)]
    [InlineData("rename of the ids", "rename", "ids.gz.new", 1)]
    [InlineData("removal of the record", "unlink", "jsonl", 1)]
    [InlineData("removal of the text", "unlink", "log", 1)]
    public async Task A_kill_at_any_step_loses_nothing_and_the_next_start_ends_the_work(
        string step, string call, string extension, int when)
    {
        var hasStrace = File.Exists("/usr/bin/strace");
        Assert.False(!hasStrace && Environment.GetEnvironmentVariable("CI") == "true", "strace is required in CI");
        Assert.SkipUnless(hasStrace, "strace isn't installed here");
        await LogDaysAsync();
        var record = await File.ReadAllBytesAsync(Plain("jsonl"), TestContext.Current.CancellationToken);
        var text = await File.ReadAllBytesAsync(Plain("log"), TestContext.Current.CancellationToken);

        await using (var killed = ServiceProcess.StartUnder(
            [
                "strace", "-D", "-f", "-o", "/dev/null", "-P", Plain(extension), "-e", $"trace={call}",
                "-e", $"inject={call}:signal=KILL:when={when}",
            ],
            Folder.Path, Options()))
        {
            await Wait.UntilAsync(() => killed.HasExited, step);
        }

        await AssertVerifiedAsync();
        Assert.Equal(record, Content("jsonl"));
        Assert.Equal(text, Content("log"));

        await using (var service = ServiceProcess.Start(Folder.Path, Options()))
        {
            await UntilCompressedAsync();
            Assert.Equal(0, await service.StopAsync());
        }

        await AssertVerifiedAsync();
        Assert.Equal(record, Gunzip(Gz("jsonl")));
        Assert.Equal(text, Gunzip(Gz("log")));
        Assert.Equal(2, Directory.GetFiles(Folder["logs", Room], $"{FirstDay}.*.gz").Length);
        Assert.DoesNotContain(Directory.GetFiles(Folder["logs", Room]), file => file.EndsWith(".gz.new", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_copy_with_content_that_the_file_lacks_is_kept_and_reported()
    {
        await LogDaysAsync();
        Gzip(Gz("jsonl"), "other lines\n"u8.ToArray());
        using (var service = Start())
        {
            await PushAsync(service, Message("wakes the service"));
            await Wait.UntilAsync(() => service.WarningsAndErrors.Count > 0, "the service reports the copy");
            Assert.Equal(
                [
                    $"Failed to compress 1 files: \"{Gz("jsonl")} has content that {Plain("jsonl")} does not have\". The next attempt is "
                    + "tomorrow or at the next start.",
                ],
                service.WarningsAndErrors);
        }

        Assert.Equal("other lines\n"u8.ToArray(), Gunzip(Gz("jsonl")));
        Assert.True(File.Exists(Plain("jsonl")));
        await using var verify = ServiceProcess.Start(Folder.Path, "verify");
        Assert.Equal(1, await verify.WaitForExitAsync());
        Assert.Equal(
            $"problem  {Room}/{FirstDay}.jsonl.gz: has content that {FirstDay}.jsonl does not have", verify.StandardOutput[0]);
    }

    [Fact]
    public async Task The_newest_day_of_a_quiet_room_is_not_compressed()
    {
        using var service = Start();
        var other = Some.RoomId();
        await PushAsync(service, Message("quiet"), Some.Message(other));
        foreach (var day in new[] { 1, 5 })
        {
            await service.CheckpointAsync();
            Time.SetUtcNow(First.AddDays(day));
            await PushAsync(service, Some.Message(other));
        }

        await Wait.UntilAsync(() => File.Exists(Folder["logs", other, "20251121.log.gz"]), "the other room's days are compressed");
        await Wait.UntilAsync(() => Messages(service, "Compressed ").Count > 0, "the run has ended");
        Assert.Equal(["<@alice:localhost> quiet"], service.Lines(Room));
        Assert.False(File.Exists(Gz("jsonl")));
    }

    [Theory]
    [InlineData("openat", "delay_exit")]
    [InlineData("rename", "delay_enter")]
    public async Task Lines_that_are_added_before_or_after_the_day_is_copied_are_kept(string call, string delay)
    {
        await LogDaysAsync();
        var hasStrace = File.Exists("/usr/bin/strace");
        Assert.SkipUnless(hasStrace || Environment.GetEnvironmentVariable("CI") == "true", "strace isn't installed here");
        await using (var service = ServiceProcess.StartUnder(
            [
                "strace", "-D", "-f", "-o", "/dev/null", "-P", Plain("jsonl.gz.new"), "-e", $"trace={call}",
                "-e", $"inject={call}:{delay}=3000000",
            ],
            Folder.Path, Options()))
        {
            await Wait.UntilAsync(() => File.Exists(Plain("jsonl.gz.new")), "the copy is begun");
            await File.AppendAllTextAsync(Plain("jsonl"), "added\n", TestContext.Current.CancellationToken);
            await Wait.UntilAsync(
                () => service.StandardOutput.Any(line => line.Contains("Failed to compress 1 files", StringComparison.Ordinal)),
                "the service reports the change");
        }

        Assert.EndsWith("added\n", await File.ReadAllTextAsync(Plain("jsonl"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(Gz("jsonl")));
    }

    /// <summary>Three days in the past, so that the first one is due; nothing was compressed yet.</summary>
    private async Task LogDaysAsync()
    {
        using var service = new ServiceUnderTest(Time, Folder);
        for (var day = 0; day < 3; day++)
        {
            Time.SetUtcNow(First.AddDays(day));
            await PushAsync(service, Message($"day {day}"), Message("more"));
        }
    }

    private byte[] Content(string extension) =>
        File.Exists(Plain(extension)) ? File.ReadAllBytes(Plain(extension)) : Gunzip(Gz(extension));

    private async Task AssertVerifiedAsync()
    {
        await using var verify = ServiceProcess.Start(Folder.Path, "verify");
        await verify.WaitForExitAsync();
        Assert.Equal("Verified 1 room, 3 days, 6 events: no problems", string.Join('\n', verify.StandardOutput));
    }

    private static string[] Options()
    {
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}");
        return ["--homeserver", "http://127.0.0.1:9", "--compress-after-days", "1", "--urls", url];
    }
}
