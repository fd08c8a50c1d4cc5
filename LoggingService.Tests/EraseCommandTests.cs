using LoggingService.RoomLogs;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command erase, while the service runs and without it.</summary>
public class EraseCommandTests : ErasureTestBase
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_user_is_erased_no_file_has_their_words_or_what_others_quoted_of_them(bool isRunning)
    {
        using var service = Start();
        await LogAsync(service);
        var before = AllLines(Room, "log").Length;
        var ids = AllIds(Room).Concat(AllIds(Other)).ToList();
        Assert.NotEmpty(FilesWith(Logs, Secret));
        if (!isRunning)
            await service.DisposeAsync();

        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Contains(output, line => line.StartsWith("Erased: 8 lines on 3 days of 2 rooms", StringComparison.Ordinal));
        Assert.Contains(output, line => line.StartsWith("Not reached: backups", StringComparison.Ordinal));
        Assert.Empty(FilesWith(Logs, Secret));
        var text = AllLines(Room, "log");
        Assert.Equal(before, text.Length);
        Assert.Equal(
            [
                $"*** {Alice} joined (the rest was erased)",
                $"<{Alice}, erased>",
                $"<{Bob}> nothing of note",
                $"<{Bob}, to the removed message of {Alice} 12:00:00> really?",
                $"<{Alice}, erased>",
            ],
            text[..5]);
        Assert.Equal(ids, AllIds(Room).Concat(AllIds(Other)));
        Assert.DoesNotContain(text, line => line.Contains("no event", StringComparison.Ordinal));
        Assert.Contains($"*** {Bob} reacted \"👍\" to the removed message of {Alice} 12:00:00 $secret", text);
        Assert.Contains($"*** {Alice} changed the topic, erased", text);
        Assert.Contains($"*** {Bob} set the topic to \"another\"", text);
        Assert.Equal($"<{Bob}> today", text[^1]);
        Assert.Contains($"<{Bob}> see https://matrix.to/#/{Alice} and {Alice}.", AllLines(Other, "log"));
        await AssertVerifiedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_an_event_is_erased_its_edits_and_quotations_are_too_and_the_rest_stays(bool isRunning)
    {
        using var service = Start();
        await LogAsync(service);
        if (!isRunning)
            await service.DisposeAsync();
        var (exitCode, output) = await RunAsync("erase", "--event", "$secret", "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Logs, "the zanzibar words"));
        Assert.NotEmpty(FilesWith(Logs, "zanzibar topic"));
        Assert.Matches(""","received_ts":\d+,"erased":true\}$""", AllLines(Room, "jsonl")[1]);
        Assert.Equal(2, AllLines(Room, "log").Count(line => line == $"<{Alice}, erased>"));
        Assert.Equal(15, AllIds(Room).Length);
        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task What_was_erased_is_not_logged_again_when_it_is_sent_again()
    {
        using var service = Start();
        await LogAsync(service);
        Assert.Equal(0, (await RunAsync("erase", "--user", Alice, "--yes")).ExitCode);
        var before = AllLines(Room, "jsonl");
        await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
        Assert.Equal(before, AllLines(Room, "jsonl"));
        await service.CheckpointAsync();
        await service.DisposeAsync();
        Assert.Empty(FilesWith(Logs, Secret));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pseudonym_takes_the_place_of_the_id_everywhere(bool isRunning)
    {
        using var service = Start();
        await LogAsync(service);
        if (!isRunning)
            await service.DisposeAsync();
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--pseudonym", "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Logs, Secret));
        Assert.Equal([$"{Other}/20251121.jsonl", $"{Other}/20251121.log"], FilesWith(Logs, Alice).Order(StringComparer.Ordinal));
        Assert.Equal([$"<{Alice}.example> another one"], AllLines(Other, "log").Where(line => line.Contains(Alice)));
        Assert.Equal(18, AllIds(Room).Length + AllIds(Other).Length);
        var name = AllLines(Room, "log")[0].Split(' ')[1];
        Assert.Matches("^@erased-[0-9a-f]{12}:erased\\.invalid$", name);
        Assert.Equal($"<{name}, erased>", AllLines(Room, "log")[1]);
        Assert.Contains($"<{Bob}> see https://matrix.to/#/{name} and {name}.", AllLines(Other, "log"));
        await AssertVerifiedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Days_of_a_room_are_removed_and_do_not_come_back(bool isRunning)
    {
        using var service = Start();
        await LogAsync(service);
        if (!isRunning)
            await service.DisposeAsync();
        var (exitCode, output) = await RunAsync("erase", "--room", Room, "--before", "2025-11-22", "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Equal([$"{Other}/20251121.jsonl", $"{Other}/20251121.log"], FilesWith(Logs, "zanzibar here").Order(StringComparer.Ordinal));
        Assert.Empty(FilesWith(Logs, "zanzibar words"));
        Assert.Equal([$"<{Bob}> today"], AllLines(Room, "log"));
        var marks = new ErasureMarks(Logs);
        Assert.True(marks.Covers(Room, First.ToUnixTimeMilliseconds()));
        Assert.False(marks.Covers(Room, First.AddDays(2).ToUnixTimeMilliseconds()));
        Assert.False(marks.Covers(Other, First.ToUnixTimeMilliseconds()));

        using var next = isRunning ? null : Start();
        await PushAsync(
            next ?? service,
            Event("$late", Room, Alice, "m.room.message", Text($"old {Secret}")).Replace(
                $"{Time.GetUtcNow().ToUnixTimeMilliseconds()}", $"{First.ToUnixTimeMilliseconds()}", StringComparison.Ordinal),
            Event("$now", Room, Alice, "m.room.message", Text("now")));
        Assert.Equal([$"<{Bob}> today", $"<{Alice}> now"], AllLines(Room, "log"));
    }

    [Fact]
    public async Task Nothing_is_erased_unless_it_is_confirmed()
    {
        await LogAsync();
        var before = AllLines(Room, "jsonl");
        var (exitCode, output) = await RunAsync("erase", "--user", Alice);
        Assert.Equal(1, exitCode);
        Assert.Matches("^ROOM +DAY +ERASED +QUOTING$", output[0]);
        Assert.Matches($"^{Room} +2025-11-20 +7 +3$", output[1]);
        Assert.Contains(output, line => line.Contains("would be erased.", StringComparison.Ordinal));
        Assert.Equal(before, AllLines(Room, "jsonl"));

        await using var confirmed = ServiceProcess.StartTyping("y\n", Folder.Path, "erase", "--user", Alice);
        Assert.Equal(0, await confirmed.WaitForExitAsync());
        Assert.Empty(FilesWith(Logs, Secret));
    }

    [Fact]
    public async Task The_next_start_finishes_what_was_interrupted()
    {
        await LogAsync();
        await File.WriteAllTextAsync(
            Path.Combine(Logs, ".erase"), $$"""{"user_id":"{{Alice}}","resumed":true}""", TestContext.Current.CancellationToken);
        using var service = Start();
        _ = service.Client;
        await Wait.UntilAsync(() => !File.Exists(Path.Combine(Logs, ".erase")), "the erasure is finished");
        Assert.Empty(FilesWith(Logs, Secret));
    }

    [Fact]
    public async Task Entries_of_a_room_that_cannot_be_written_are_erased_in_the_journal()
    {
        using var service = Start();
        Directory.CreateDirectory(Logs);
        await File.WriteAllTextAsync(Path.Combine(Logs, Room), "", TestContext.Current.CancellationToken);
        await PushAsync(
            service,
            Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")),
            Event("$kept", Room, Bob, "m.room.message", Text("nothing of note")));
        await service.CheckpointAsync();
        Assert.NotEmpty(FilesWith(Logs, Secret));
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Logs, Secret));

        File.Delete(Path.Combine(Logs, Room));
        await Wait.UntilAsync(() => File.Exists(Path.Combine(Logs, Room, $"{FirstDay}.log")), "the room is written");
        await service.CaughtUpAsync();
        Assert.Equal([$"<{Alice}, erased>", $"<{Bob}> nothing of note"], AllLines(Room, "log"));
    }

    [Theory]
    [InlineData("erase needs one of --event, --user and --room")]
    [InlineData("erase takes only one of --event, --user and --room", "--event", "$a", "--user", "@a:b")]
    [InlineData("--event needs the id of an event", "--event", "a")]
    [InlineData("--user needs a full user id", "--user", "alice")]
    [InlineData("--before needs --room", "--user", "@a:b", "--before", "2025-11-20")]
    [InlineData("--pseudonym needs --user", "--event", "$a", "--pseudonym")]
    [InlineData("There is no log of !nowhere:localhost", "--room", "!nowhere:localhost")]
    public async Task Options_that_do_not_fit_are_refused(string error, params string[] options)
    {
        Directory.CreateDirectory(Logs);
        await using var process = ServiceProcess.Start(Folder.Path, ["erase", .. options]);
        Assert.NotEqual(0, await process.WaitForExitAsync());
        Assert.Contains(error, Assert.Single(process.StandardError), StringComparison.Ordinal);
    }
}
