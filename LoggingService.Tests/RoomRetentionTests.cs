using System.Globalization;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>With <c>HonourRoomRetention</c>, the log of a room is kept no longer than its <c>m.room.retention</c> says.</summary>
public sealed class RoomRetentionTests : IDisposable
{
    private const string Tea = "!tea:localhost";
    private const string Milk = "!milk:localhost";
    private const string All = "20261001 20261015 20261101";
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeTimeProvider _time = new(Now);

    [Theory]
    [InlineData("m.room.retention", "3456000000", "20261015 20261101")]
    [InlineData("org.matrix.msc1763.retention", "3456000000", "20261015 20261101")]
    [InlineData("m.room.retention", "3283200001", "20261015 20261101")]
    [InlineData("m.room.retention", "3283200000", "20261101")]
    [InlineData("m.room.retention", "1", "20261101")]
    [InlineData("m.room.retention", "1", "", "RetainDaysMin", "5")]
    [InlineData("m.room.retention", "1", "", "RetainDays", "5")]
    [InlineData("m.room.retention", "3456000000", "20261101", "RetainDays", "25")]
    [InlineData("m.room.retention", "3456000000", All, "HonourRoomRetention", "off")]
    [InlineData("m.room.retention", "0", All)]
    [InlineData("m.room.retention", "-1", All)]
    [InlineData("m.room.retention", "\"1\"", All)]
    [InlineData("m.room.retention", "9e99", All)]
    public async Task Days_older_than_the_rooms_retention_are_removed(
        string type, string lifetime, string left, string key = "Admin", string value = "off")
    {
        Write(Tea, State(type, $$"""{"max_lifetime":{{lifetime}}}"""));
        Write(Milk, "{}");
        Settings[$"LoggingService:{key}"] = value;
        using var service = new ServiceUnderTest(_time, _folder, settings: Settings);
        await service.PushAsync("1", Some.Message(Milk));
        await UntilAsync(left);
        await Wait.UntilAsync(
            () => Settings["LoggingService:HonourRoomRetention"] == "off" || File.Exists(_folder["logs", Milk, "room.json"]),
            "all rooms are checked", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(left, DaysOf(Tea));
        Assert.Contains(key == "RetainDays" ? "20261123" : "20261001", DaysOf(Milk), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_retention_counts_although_the_day_that_said_so_is_removed()
    {
        Write(Tea, State("m.room.retention", """{"max_lifetime":1}"""));
        using (var service = new ServiceUnderTest(_time, _folder, settings: Settings))
        {
            await service.PushAsync("1", Some.Message(Tea));
            await UntilAsync("20261101 20261123");
        }

        _time.SetUtcNow(Now.AddDays(20));
        using var next = new ServiceUnderTest(_time, _folder, settings: Settings);
        await next.PushAsync("2", Some.Message(Tea));
        await UntilAsync("20261123 20261213");
    }

    [Fact]
    public async Task A_retention_that_is_pushed_counts_from_the_next_day_on()
    {
        Write(Tea, "{}");
        using var service = new ServiceUnderTest(_time, _folder, settings: Settings);
        await service.PushAsync("1", Some.State(Tea, "m.room.retention", """{"max_lifetime":1}"""));
        var properties = _folder["logs", Tea, "room.json"];
        await Wait.UntilAsync(
            () => File.Exists(properties) && File.ReadAllText(properties).Contains("\"max_lifetime\":1", StringComparison.Ordinal),
            "it is kept");
        _time.SetUtcNow(Now.AddDays(1));
        await UntilAsync("20261101 20261123");
    }

    [Theory]
    [InlineData("{\"notice_ts\":1,\"max_lifetime\":0,\"wishes\":{}}", false)]
    [InlineData("{\"max_lifetime\":1}", true)]
    [InlineData("{\"wishes\":{\"paused\":true}}", true)]
    public async Task What_a_room_decided_outlives_the_last_day_of_its_log(string properties, bool isKept)
    {
        Write(Tea, "{}");
        File.CreateSymbolicLink(_folder["logs", Tea, "latest.log"], "20261101.log");
        await File.WriteAllTextAsync(_folder["logs", Tea, "room.json"], properties, TestContext.Current.CancellationToken);

        // Until no ids of the days are kept either.
        _time.SetUtcNow(Now.AddDays(60));
        using var service = new ServiceUnderTest(_time, _folder, settings: new() { ["LoggingService:RetainDays"] = "2" });
        await service.PushAsync("1", Some.Message(Milk));
        await UntilAsync("");
        await Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage().StartsWith("Removed ", StringComparison.Ordinal)), "the removal is complete");
        if (!isKept)
        {
            // Before the homeserver said which rooms our user is a member of, the file stays until the next day.
            await Wait.UntilAsync(
                () => !File.Exists(_folder["logs", Tea, "room.json"]), "the file is removed", () => _time.Advance(TimeSpan.FromHours(1)));
        }

        Assert.Equal(isKept, File.Exists(_folder["logs", Tea, "room.json"]));
    }

    [Fact]
    public async Task What_room_json_says_is_not_replaced_while_it_cannot_be_read()
    {
        Write(Tea, "{}");
        var properties = _folder["logs", Tea, "room.json"];

        // As a read error: a link to itself can be replaced, not read.
        File.CreateSymbolicLink(properties, properties);
        using var service = new ServiceUnderTest(_time, _folder, settings: Settings);
        await service.PushAsync("1", Some.State(Tea, "m.room.retention", """{"max_lifetime":3456000000}"""));
        await service.PushAsync("2", Some.State(Tea, "m.room.power_levels", """{"users":{"@alice:localhost":50}}"""));
        Assert.Equal(properties, new FileInfo(properties).LinkTarget);

        // In place of the link at once: while there is no file, nothing has been decided.
        await File.WriteAllTextAsync(
            _folder["written"], """{"notice_ts":1,"wishes":{"no_log_prefix":"!off"}}""", TestContext.Current.CancellationToken);
        File.Move(_folder["written"], properties, overwrite: true);
        await Wait.UntilAsync(
            () => File.ReadAllText(properties) is var text
                && text.Contains("topic_setters", StringComparison.Ordinal) && text.Contains("3456000000", StringComparison.Ordinal),
            "what was logged meanwhile is added", () => _time.Advance(TimeSpan.FromMinutes(10)));
        var kept = await File.ReadAllTextAsync(properties, TestContext.Current.CancellationToken);
        Assert.StartsWith("""{"notice_ts":1,""", kept, StringComparison.Ordinal);
        Assert.Contains("""{"no_log_prefix":"!off"}""", kept, StringComparison.Ordinal);
        await service.PushAsync("3", Some.Message(Tea, "!off secret"));
        Assert.EndsWith("[not logged at the sender's wish]", service.Lines(Tea)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_days_of_other_rooms_are_removed_where_one_room_json_cannot_be_read()
    {
        // One of the two is not the last, in whatever order the folders are listed.
        string[] unreadable = ["!a:localhost", "!z:localhost"];
        string[] others = [.. Enumerable.Range(1, 8).Select(i => $"!m{i}:localhost")];
        foreach (var room in (string[])[unreadable[0], .. others, unreadable[1]])
            Write(room, "{}");
        foreach (var properties in unreadable.Select(room => _folder["logs", room, "room.json"]))
            File.CreateSymbolicLink(properties, properties);
        using var service = new ServiceUnderTest(_time, _folder, settings: new() { ["LoggingService:RetainDays"] = "30" });
        await service.PushAsync("1", Some.Message(Milk));
        await Wait.UntilAsync(
            () => service.WarningsAndErrors.Any(line => line.StartsWith("Failed to remove old days", StringComparison.Ordinal)),
            "the removal has ended", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.All(others, room => Assert.Equal("20261101", DaysOf(room)));
        Assert.All(unreadable, room => Assert.Equal(All, DaysOf(room)));
        foreach (var room in unreadable)
            File.Delete(_folder["logs", room, "room.json"]);
        _time.Advance(TimeSpan.FromDays(1));
        await Wait.UntilAsync(
            () => unreadable.All(room => DaysOf(room) == "20261101"), "they are removed later",
            () => _time.Advance(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task The_command_rooms_says_what_would_be_removed()
    {
        Write(Tea, State("m.room.retention", """{"max_lifetime":86400000}"""));
        Write(Milk, "{}");
        File.CreateSymbolicLink(_folder["logs", "logged_tea"], Tea);
        var today = DateTime.Now.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(_folder["logs", Tea, $"{today}.jsonl"], "{}\n", TestContext.Current.CancellationToken);
        foreach (var day in All.Split(' '))
        {
            File.Move(_folder["logs", Tea, $"{day}.jsonl"], _folder["logs", Tea, $"2020{day[4..]}.jsonl"]);
        }

        await using var process = ServiceProcess.Start(_folder.Path, "rooms", "--retention");
        Assert.Equal(0, await process.WaitForExitAsync());
        Assert.Equal(3, process.StandardOutput.Count);
        Assert.Matches("^ALIAS +RETENTION +KEPT DAYS +REMOVED FILES +SIZE +ROOM$", process.StandardOutput[0]);
        Assert.Matches(@"^#logged_tea +1 day +30 +3 +[\d.]+ K?i?B +!tea:localhost$", process.StandardOutput[1]);
        Assert.Equal("HonourRoomRetention is off: no room's own retention removes anything.", process.StandardOutput[2]);
        Assert.True(File.Exists(_folder["logs", Tea, "20201001.jsonl"]));
    }

    public void Dispose() => _folder.Dispose();

    private Dictionary<string, string> Settings { get; } = new() { ["LoggingService:HonourRoomRetention"] = "on" };

    private Task UntilAsync(string left) =>
        Wait.UntilAsync(() => DaysOf(Tea) == left, $"{left} is left", () => _time.Advance(TimeSpan.FromSeconds(1)));

    private static string State(string type, string content) => Some.State(Tea, type, content)[..^1] + ",\"received_ts\":1}";

    /// <summary>Three days, whose first record has one line.</summary>
    private void Write(string room, string line)
    {
        Directory.CreateDirectory(_folder["logs", room]);
        foreach (var day in All.Split(' '))
        {
            File.WriteAllText(_folder["logs", room, $"{day}.jsonl"], (day == "20261001" ? line.Trim() : "{}") + "\n");
        }
    }

    private string DaysOf(string room) => Directory.Exists(_folder["logs", room])
        ? string.Join(' ', Directory.GetFiles(_folder["logs", room], "*.jsonl").Select(file => Path.GetFileName(file)[..8]).Order())
        : "";
}
