using System.Text;
using LoggingService.Files;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>CompressAfterDays: old days become .gz, and everything that reads the logs reads them.</summary>
public class CompressedDayTests : CompressedDayTestBase
{
    [Fact]
    public async Task Zcat_shows_what_the_day_was_and_the_newest_days_stay_as_they_are()
    {
        using var service = Start();
        await PushAsync(service, ManyMessages());
        var record = await File.ReadAllBytesAsync(Plain("jsonl"), TestContext.Current.CancellationToken);
        var text = await File.ReadAllBytesAsync(Plain("log"), TestContext.Current.CancellationToken);
        var writtenAt = File.GetLastWriteTimeUtc(Plain("jsonl"));
        await CompressAsync(service);

        Assert.Equal(record, await RunAsync("zcat", Gz("jsonl")));
        Assert.Equal(text, await RunAsync("zcat", Gz("log")));
        Assert.Equal(writtenAt, File.GetLastWriteTimeUtc(Gz("jsonl")), TimeSpan.FromMilliseconds(1));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Gz("jsonl")));
        Assert.Equal(
            [
                "20251120.ids", "20251120.jsonl.gz", "20251120.log.gz", "20251121.ids", "20251121.jsonl", "20251121.log", "20251122.jsonl",
                "20251122.log", "latest.log",
            ],
            Directory.GetFiles(Folder["logs", Room]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("20251122.log", new FileInfo(Folder["logs", Room, "latest.log"]).LinkTarget);
        await Wait.UntilAsync(() => Messages(service, "Compressed ").Count == 1, "the service logs what was compressed");
        var sizes = $"{record.Length + text.Length} to {new FileInfo(Gz("jsonl")).Length + new FileInfo(Gz("log")).Length}";
        Assert.Equal(
            [$"Compressed 2 files of days before 2025-11-21 from {sizes} bytes (CompressAfterDays)"], Messages(service, "Compressed "));
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task A_member_has_at_most_1_MiB_and_ends_with_a_line()
    {
        using var service = Start();
        await PushAsync(service, ManyMessages());
        var record = await File.ReadAllBytesAsync(Plain("jsonl"), TestContext.Current.CancellationToken);
        await CompressAsync(service);

        var compressed = await File.ReadAllBytesAsync(Gz("jsonl"), TestContext.Current.CancellationToken);
        var contents = new List<int>();
        for (var position = 0; position < compressed.Length;)
        {
            var (length, content) = GzipMembers.ReadHeader(compressed.AsSpan(position))!.Value;
            contents.Add(content);
            Assert.InRange(content, 1, 1 << 20);
            Assert.Equal((byte)'\n', record[contents.Sum() - 1]);
            position += length;
        }

        Assert.InRange(contents.Count, 3, 5);
        Assert.Equal(record.Length, contents.Sum());
    }

    [Fact]
    public async Task A_reply_quotes_a_message_of_a_compressed_day_without_reading_the_other_members()
    {
        using var service = Start();
        await CompressAsync(service, ManyMessages());
        DamageLastMember();

        await PushAsync(service, Reply("$old", "late"));
        Assert.Equal("<@bob:localhost, to @alice:localhost 2025-11-20 12:00:00 \"the old one\"> late", LastLine(service, Room));

        // What can't be read is known, and not quoted.
        await PushAsync(service, Reply("$noise399", "later"), Message("again", "$noise399"));
        Assert.Equal("<@bob:localhost, to $noise399> later", LastLine(service, Room));
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task An_event_of_a_compressed_day_is_not_logged_again_also_without_its_ids()
    {
        using (var service = Start())
        {
            await CompressAsync(service, Message("hello", "$hello"), Message("hi", "$hi"));
            var ids = Plain("ids");
            var stamp = File.GetLastWriteTimeUtc(ids);
            await PushAsync(service, Message("hello", "$hello"), Message("new"));
            Assert.Equal("<@alice:localhost> new", LastLine(service, Room));

            // They were not built again.
            Assert.Equal(stamp, File.GetLastWriteTimeUtc(ids));
            File.Delete(ids);
            await PushAsync(service, Message("hi", "$hi"), Message("newer"));
            Assert.Equal(["day 2", "new", "newer"], service.Lines(Room).Select(line => line.Split("> ")[1]));
            Assert.True(File.Exists(ids));
            File.Delete(ids);
        }

        using var next = Start();
        await PushAsync(next, Message("hello", "$hello"), Reply("$hi", "newest"));
        Assert.Equal("<@bob:localhost, to @alice:localhost 2025-11-20 12:00:00 \"hi\"> newest", LastLine(next, Room));
        Assert.Equal(4, next.Lines(Room).Count);
    }

    [Fact]
    public async Task A_redaction_of_a_compressed_day_and_one_of_its_messages_are_respected()
    {
        using var service = Start();
        await CompressAsync(service, Message("secret", "$secret"), Message("other", "$other"), Redaction("$secret"));
        await PushAsync(service, Redaction("$other"), Reply("$secret", "what?"), Reply("$other", "and this?"));
        Assert.Equal(
            [
                "*** @bob:localhost removed the message of @alice:localhost 2025-11-20 12:00:00 $other",
                "<@bob:localhost, to the removed message of @alice:localhost 2025-11-20 12:00:00 $secret> what?",
                "<@bob:localhost, to the removed message of @alice:localhost 2025-11-20 12:00:00 $other> and this?",
            ],
            service.Lines(Room).Skip(1));
    }

    [Fact]
    public async Task A_day_that_an_admin_compressed_again_is_read()
    {
        using var service = Start();
        await CompressAsync(service, ManyMessages());
        foreach (var path in new[] { Gz("jsonl"), Gz("log") })
        {
            var content = Encoding.UTF8.GetString(Gunzip(path));
            Gzip(path, Encoding.UTF8.GetBytes(content.Replace("the old one", "erased", StringComparison.Ordinal)));
        }

        await PushAsync(service, Message("again", "$noise7"), Reply("$old", "what was it?"));
        Assert.Equal(2, service.Lines(Room).Count);
        Assert.Equal("<@bob:localhost, to @alice:localhost 2025-11-20 12:00:00 \"erased\"> what was it?", LastLine(service, Room));
        Assert.Empty(service.WarningsAndErrors);
        await service.CheckpointAsync();
        await AssertVerifiedAsync("403 events: no problems");
    }

    [Fact]
    public async Task A_day_whose_compressed_file_is_truncated_is_kept_and_its_room_waits_where_it_must_be_read()
    {
        using var service = Start();
        await CompressAsync(service, Message("hello", "$hello"), Message("hi", "$hi"));
        var whole = await File.ReadAllBytesAsync(Gz("jsonl"), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Gz("jsonl"), whole[..^12], TestContext.Current.CancellationToken);
        Time.AdjustTime(First);
        await PushAsync(service, Message("again"));
        Assert.Equal(whole[..^12], await File.ReadAllBytesAsync(Gz("jsonl"), TestContext.Current.CancellationToken));
        Assert.Contains($"{Gz("jsonl")} is damaged: ", Assert.Single(service.WarningsAndErrors), StringComparison.Ordinal);

        await File.WriteAllBytesAsync(Gz("jsonl"), whole, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => File.Exists(Plain("log")), "the room is repaired");
        await service.CaughtUpAsync();
        Assert.Equal(["hello", "hi", "again"], service.Lines(Room).Select(line => line.Split("> ")[1]));
    }

    [Fact]
    public async Task A_day_that_is_written_again_is_decompressed_and_compressed_later()
    {
        using var service = Start();
        await CompressAsync(service, Message("hello", "$hello"));
        var now = Time.GetUtcNow();
        Time.AdjustTime(First);
        await PushAsync(service, Message("hello", "$hello"), Reply("$hello", "at once"));
        Assert.Equal(
            ["<@alice:localhost> hello", "<@bob:localhost, to @alice:localhost 12:00:00 \"hello\"> at once"], service.Lines(Room));
        Assert.False(File.Exists(Gz("jsonl")));
        Assert.False(File.Exists(Gz("log")));

        await service.CheckpointAsync();
        Time.AdjustTime(now);
        await PushAsync(service, Message("today"));
        await service.CheckpointAsync();
        Time.AdjustTime(now.AddDays(1));
        await UntilCompressedAsync();
        Assert.Equal(2, Encoding.UTF8.GetString(Gunzip(Gz("jsonl"))).Count(c => c == '\n'));
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task The_commands_read_compressed_days()
    {
        var lines = Array.Empty<string>();
        using (var service = Start())
        {
            await PushAsync(service, Message("hello", "$hello"), Some.State(Room, "m.room.name", """{"name":"Tea"}"""));
            lines = await File.ReadAllLinesAsync(Plain("log"), TestContext.Current.CancellationToken);
            await CompressAsync(service);
            await PushAsync(service, Reply("$hello", "late"));
            await service.CheckpointAsync();
        }

        await AssertVerifiedAsync("5 events: no problems");
        await using (var rooms = ServiceProcess.Start(Folder.Path, "rooms"))
        {
            Assert.Equal(0, await rooms.WaitForExitAsync());
            Assert.Matches("^- +Tea +logged +5 .*  2025-11-20  2025-11-22  2025-11-22 ", rooms.StandardOutput[1]);
        }

        await using (var render = ServiceProcess.Start(Folder.Path, "render", Gz("jsonl")))
        {
            Assert.Equal(0, await render.WaitForExitAsync());
            Assert.Equal(lines, render.StandardOutput);
        }

        DamageLastMember();
        await using var verify = ServiceProcess.Start(Folder.Path, "verify");
        Assert.Equal(1, await verify.WaitForExitAsync());
        Assert.Contains($"{Gz("jsonl")} is damaged: ", verify.StandardOutput[0], StringComparison.Ordinal);
    }

    private async Task AssertVerifiedAsync(string expected)
    {
        await using var verify = ServiceProcess.Start(Folder.Path, "verify");
        await verify.WaitForExitAsync();
        Assert.EndsWith(expected, Assert.Single(verify.StandardOutput), StringComparison.Ordinal);
    }

    /// <summary>Overwrites the checksum of the last member; length and time stay.</summary>
    private void DamageLastMember()
    {
        var time = File.GetLastWriteTimeUtc(Gz("jsonl"));
        using (var file = File.OpenWrite(Gz("jsonl")))
        {
            file.Position = file.Length - 8;
            file.Write([1, 2, 3, 4]);
        }

        File.SetLastWriteTimeUtc(Gz("jsonl"), time);
    }
}
