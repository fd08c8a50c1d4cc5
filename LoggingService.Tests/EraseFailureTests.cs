using LoggingService.Erasure;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What an erasure can't reach is named, and does not keep it from the rest.</summary>
public class EraseFailureTests : ErasureTestBase
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_room_that_cannot_be_written_is_named_and_erased_later(bool isRunning)
    {
        using var service = Start();
        await LogAsync(service);
        if (!isRunning)
            await service.DisposeAsync();

        // In place of the file that would replace the record; a stop may have left it uncompressed.
        string[] obstacles = [$"{Gz("jsonl")}.new", Path.Combine(Logs, Room, $"{FirstDay}.jsonl.new")];
        foreach (var obstacle in obstacles)
        {
            File.Delete(obstacle);
            Directory.CreateDirectory(Path.Combine(obstacle, "obstacle"));
        }

        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.Equal(1, exitCode);
        Assert.Contains(output, line => line.StartsWith($"Failed: {Room}: ", StringComparison.Ordinal));
        Assert.DoesNotContain(output, line => line.StartsWith("Repeated after ", StringComparison.Ordinal));
        Assert.Empty(FilesWith(Path.Combine(Logs, Other), Secret));
        Assert.Empty(FilesWith(Path.Combine(Logs, ".quarantine"), Secret));
        Assert.NotEmpty(FilesWith(Logs, Secret));
        Assert.True(File.Exists(Path.Combine(Logs, ".erase")));

        foreach (var obstacle in obstacles)
            Directory.Delete(obstacle, recursive: true);
        if (isRunning)
        {
            await UntilRepeatedAsync();
            output = await File.ReadAllLinesAsync(Path.Combine(Logs, ".erase-result"), TestContext.Current.CancellationToken);
        }
        else
        {
            (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
            Assert.Equal(0, exitCode);
        }

        Assert.Empty(FilesWith(Logs, Secret));
        Assert.Contains(output, line => line.StartsWith("Repeated after ", StringComparison.Ordinal));
        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task Only_the_room_in_which_an_erasure_failed_is_erased_again()
    {
        using var service = Start();
        await PushAsync(service, Event("$other", Other, Alice, "m.room.message", Text($"{Secret} here")));
        await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
        var obstacle = Path.Combine(Logs, Room, $"{FirstDay}.jsonl.new");
        Directory.CreateDirectory(Path.Combine(obstacle, "obstacle"));
        Assert.Equal(1, (await RunAsync("erase", "--user", Alice, "--yes")).ExitCode);
        await PushAsync(service, Event("$since", Other, Alice, "m.room.message", Text("written since")));
        Directory.Delete(obstacle, recursive: true);
        await UntilRepeatedAsync();
        Assert.Equal([$"<{Alice}, erased>"], AllLines(Room, "log"));
        Assert.Equal([$"<{Alice}, erased>", $"<{Alice}> written since"], AllLines(Other, "log"));
    }

    [Fact]
    public async Task A_repetition_names_again_what_could_not_be_read_in_other_rooms()
    {
        using var service = Start();
        await LogAsync(service);
        await File.WriteAllTextAsync(Path.Combine(Logs, Other, "20250101.log"), "lost", TestContext.Current.CancellationToken);
        var obstacle = Path.Combine(Logs, Room, $"{FirstDay}.jsonl.gz.new");
        File.Delete(obstacle);
        Directory.CreateDirectory(Path.Combine(obstacle, "obstacle"));
        var (_, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.Contains(output, line => line.StartsWith($"Failed: {Room}: ", StringComparison.Ordinal));
        var named = Assert.Single(output.Distinct(), line => line.StartsWith($"Can't be read: {Other}/20250101", StringComparison.Ordinal));
        Directory.Delete(obstacle, recursive: true);
        await UntilRepeatedAsync();
        Assert.Single(await File.ReadAllLinesAsync(Path.Combine(Logs, ".erase-result"), TestContext.Current.CancellationToken), named);
    }

    [Fact]
    public async Task Redacted_words_are_erased_while_a_request_fails_in_another_room()
    {
        using var service = Start("erase");
        await PushAsync(service, Event("$other", Other, Alice, "m.room.message", Text($"{Secret} here")));
        await PushAsync(service, Event("$secret", Room, Bob, "m.room.message", Text("the redacted words")));
        var obstacle = Path.Combine(Logs, Other, $"{FirstDay}.jsonl.new");
        Directory.CreateDirectory(Path.Combine(obstacle, "obstacle"));
        Assert.Equal(1, (await RunAsync("erase", "--user", Alice, "--yes")).ExitCode);
        await PushAsync(service, Redaction("$redaction", Room, "$secret"));
        await Wait.UntilAsync(
            () => FilesWith(Path.Combine(Logs, Room), "redacted words").Count == 0, "they are erased",
            () => Time.Advance(TimeSpan.FromSeconds(1)));
        Assert.True(File.Exists(Path.Combine(Logs, ".erase")));
        Assert.NotEmpty(FilesWith(Logs, Secret));
    }

    [Fact]
    public async Task An_erased_event_that_waits_for_its_room_stays_marked_when_another_erasure_changes_it()
    {
        using var service = Start();
        Directory.CreateDirectory(Logs);
        await File.WriteAllTextAsync(Path.Combine(Logs, Room), "", TestContext.Current.CancellationToken);
        await PushAsync(service, Event("$invite", Room, Alice, "m.room.member", """{"membership":"invite","reason":"x"}""", stateKey: Bob));
        await service.CheckpointAsync();
        foreach (var what in (string[][])[["--event", "$invite"], ["--user", Bob, "--pseudonym"]])
        {
            var (exitCode, output) = await RunAsync(["erase", .. what, "--yes"]);
            Assert.True(exitCode == 0, string.Join('\n', output));
        }

        File.Delete(Path.Combine(Logs, Room));
        await Wait.UntilAsync(() => File.Exists(Path.Combine(Logs, Room, $"{FirstDay}.log")), "the room is written");
        await service.CaughtUpAsync();
        var line = Assert.Single(AllLines(Room, "jsonl"));
        Assert.Matches(""","received_ts":\d+,"erased":true\}$""", line);
        Assert.DoesNotContain(Bob, line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_erasure_that_fails_is_retried_at_intervals_that_grow_to_five_minutes()
    {
        var delay = new RetryDelay(Time);
        foreach (var seconds in (int[])[10, 20, 40, 80, 160, 300, 300])
        {
            Assert.True(delay.IsDue);
            delay.Failed();
            Time.Advance(TimeSpan.FromSeconds(seconds - 1));
            Assert.False(delay.IsDue);
            Time.Advance(TimeSpan.FromSeconds(1));
        }

        delay.Failed();
        delay.Succeeded();
        Assert.True(delay.IsDue);
    }

    [Fact]
    public async Task A_room_with_nothing_but_fetched_events_is_erased()
    {
        using var service = Start();
        await AppendAsync(service, Fetched(Event("$fetched", Room, Alice, "m.room.message", Text($"the {Secret} words"))));
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Logs, Secret));
        Assert.Matches(""","fetched_ts":7,"received_ts":\d+,"erased":true\}$""", AllLines(Room, "jsonl")[0]);
        await AssertVerifiedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_damaged_day_is_named_and_the_others_are_erased(bool isCompressed)
    {
        await LogAsync();
        var damaged = isCompressed ? Gz("jsonl") : Path.Combine(Logs, Room, "20251122.jsonl");
        await File.WriteAllBytesAsync(damaged, new byte[4096], TestContext.Current.CancellationToken);
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.Equal(1, exitCode);
        var day = isCompressed ? FirstDay : "20251122";
        Assert.Contains(output, line => line.StartsWith($"Can't be read: {Room}/{day}.jsonl: ", StringComparison.Ordinal));
        Assert.Empty(FilesWith(Path.Combine(Logs, Other), Secret));
        Assert.Equal(isCompressed, FilesWith(Logs, Secret).Count > 0);
        Assert.False(File.Exists(Path.Combine(Logs, ".erase")));
    }

    [Fact]
    public async Task Folders_and_texts_that_cannot_be_searched_are_named()
    {
        await LogAsync();
        Directory.CreateDirectory(Path.Combine(Logs, "!a copy"));
        File.CreateSymbolicLink(Path.Combine(Logs, "!unmounted"), Folder["nowhere"]);
        File.Delete(Path.Combine(Logs, Other, "20251121.jsonl"));
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.Equal(1, exitCode);
        foreach (var name in (string[])["!a copy: ", "!unmounted is a link", $"{Other}/20251121.log has no record"])
            Assert.Contains(output, line => line.StartsWith($"Can't be read: {name}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_text_whose_record_has_lost_the_line_of_the_erased_event_is_named()
    {
        await LogAsync();
        var record = Path.Combine(Logs, Other, "20251121.jsonl");
        var lines = await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(
            record, lines.Where(line => !line.Contains("\"$other\"", StringComparison.Ordinal)), TestContext.Current.CancellationToken);
        var (exitCode, output) = await RunAsync("erase", "--event", "$other", "--yes");
        Assert.Equal(1, exitCode);
        Assert.Contains(output, line => line.StartsWith($"Can't be read: {Other}/20251121.log: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_room_whose_folder_is_on_another_disk_is_erased()
    {
        await LogAsync();
        Directory.Move(Path.Combine(Logs, Other), Folder["elsewhere"]);
        Directory.CreateSymbolicLink(Path.Combine(Logs, Other), Folder["elsewhere"]);
        Assert.Equal(0, (await RunAsync("erase", "--user", Alice, "--yes")).ExitCode);
        Assert.Empty(FilesWith(Folder["elsewhere"], Secret));
    }

    [Fact]
    public async Task The_log_of_a_room_without_the_user_stays_open()
    {
        using var service = Start();
        await PushAsync(
            service,
            Event("$kept", Room, Bob, "m.room.message", Text("nothing of note")),
            Event("$secret", Other, Alice, "m.room.message", Text($"the {Secret} words")));
        Assert.Equal(0, (await RunAsync("erase", "--user", Alice, "--yes")).ExitCode);

        // A log that is closed saves its ids.
        Assert.True(File.Exists(Path.Combine(Logs, Other, $"{FirstDay}.ids")));
        Assert.False(File.Exists(Path.Combine(Logs, Room, $"{FirstDay}.ids")));
    }

    [Fact]
    public async Task Input_that_waits_for_the_quarantine_is_erased()
    {
        using var service = Start();
        Directory.CreateDirectory(Logs);
        var quarantine = Path.Combine(Logs, ".quarantine");
        await File.WriteAllTextAsync(quarantine, "", TestContext.Current.CancellationToken);
        await PushAsync(
            service, $"{{\"event_id\":\"$noroom\",\"sender\":\"{Alice}\",\"type\":\"m.room.message\",\"content\":{Text(Secret)}}}");
        await service.CheckpointAsync();
        Assert.NotEmpty(FilesWith(Logs, Secret));
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Logs, Secret));
    }

    private Task UntilRepeatedAsync() => Wait.UntilAsync(
        () => !File.Exists(Path.Combine(Logs, ".erase")), "the service has repeated it", () => Time.Advance(TimeSpan.FromSeconds(1)));
}
