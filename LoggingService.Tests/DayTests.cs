using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Each day has its own files, by the time of arrival in the service's time zone.</summary>
public class DayTests
{
    private static readonly DateTimeOffset BeforeMidnight = new(2026, 11, 23, 21, 59, 59, TimeSpan.Zero);
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task Files_roll_at_midnight_of_the_services_time_zone_and_latest_log_follows()
    {
        var time = new FakeTimeProvider(BeforeMidnight);
        time.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("+2", TimeSpan.FromHours(2), "+2", "+2"));
        using var service = new ServiceUnderTest(time);
        await PushAsync(service, Some.Message(_room, "evening"));
        Assert.Equal("20261123.log", LatestOf(service));
        time.Advance(TimeSpan.FromSeconds(1));
        await PushAsync(service, Some.Message(_room, "morning", at: BeforeMidnight.ToUnixTimeMilliseconds()));
        Assert.Equal("20261124.log", LatestOf(service));
        Assert.Equal(["<@alice:localhost> morning"], service.Lines(_room));
        Assert.Equal(["20261123.ids", "20261123.jsonl", "20261123.log", "20261124.jsonl", "20261124.log", "latest.log"], Files(service));

        // The clock is set back.
        time.AdjustTime(BeforeMidnight);
        await PushAsync(service, Some.Message(_room, "evening again"));
        Assert.Equal("20261123.log", LatestOf(service));
        Assert.Equal(["<@alice:localhost> evening", "<@alice:localhost> evening again"], service.Lines(_room));
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task Old_days_are_deleted_at_startup_and_daily_in_quiet_rooms_too()
    {
        using var folder = TempFolder.ForCaller();
        Directory.CreateDirectory(folder["logs", "!quiet:localhost"]);
        Directory.CreateDirectory(folder["logs", ".quarantine"]);
        string[] files =
        [
            "20261120.log", "20261120.jsonl", "20261120.log.old", "20261122.log", "20261122.jsonl", "notes.txt", "20261120.txt",
            "20261120.jsonl.new", "20261120.ids", "20261001.ids", "20261120.log.gz", "20261120.jsonl.zst", "20261120.log.1",
            "20261120.log.swp~", "202611201.log",
        ];
        foreach (var name in files)
            File.WriteAllText(folder["logs", "!quiet:localhost", name], "");
        File.WriteAllText(folder["logs", ".quarantine", "20261120.jsonl"], "");
        File.WriteAllText(folder["logs", ".quarantine", "20261120.torn.jsonl"], "");
        foreach (var name in new[] { "0a1b.bin", "journal-000017-0a1b" })
        {
            File.WriteAllText(folder["logs", ".quarantine", name], "");
            File.SetLastWriteTime(folder["logs", ".quarantine", name], new DateTime(2026, 11, 20, 12, 0, 0));
        }

        var time = new FakeTimeProvider(BeforeMidnight);
        using var service = new ServiceUnderTest(time, folder, settings: new() { ["LoggingService:RetainDays"] = "2" });
        await PushAsync(service, Some.Message(_room));
        await Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage().StartsWith("Removed ", StringComparison.Ordinal)), "the old days are deleted");
        Assert.Empty(Directory.GetFiles(folder["logs", ".quarantine"]));
        Assert.Equal(
            ["20261120.ids", "202611201.log", "20261122.jsonl", "20261122.log", "notes.txt", "room.json"],
            Names(folder["logs", "!quiet:localhost"]));
        time.SetUtcNow(BeforeMidnight.AddDays(2));
        await Wait.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return !Names(folder["logs", "!quiet:localhost"]).Intersect(["20261122.jsonl", "20261122.log"]).Any();
            },
            "the old days are deleted");
        Assert.Equal(
            ["20261120.ids", "202611201.log", "20261122.ids", "notes.txt", "room.json"], Names(folder["logs", "!quiet:localhost"]));
        await PushAsync(service, Some.Message(_room));
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task The_oldest_days_of_all_rooms_are_removed_when_the_logs_are_too_large_but_never_today()
    {
        using var folder = TempFolder.ForCaller();
        foreach (var (room, day) in new[] { ("!a", 20), ("!b", 21), ("!a", 22), ("!b", 22) })
        {
            Directory.CreateDirectory(folder["logs", $"{room}:localhost"]);
            foreach (var suffix in (string[])[".jsonl", ".log"])
            {
                await File.WriteAllTextAsync(
                    folder["logs", $"{room}:localhost", $"202611{day}{suffix}"],
                    new string('x', 400_000),
                    TestContext.Current.CancellationToken);
            }
        }

        var time = new FakeTimeProvider(BeforeMidnight.AddHours(-12));
        using var service = new ServiceUnderTest(time, folder, settings: new() { ["LoggingService:MaxBytes"] = "2MB" });
        await PushAsync(service, Some.Message(_room));
        await Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage().StartsWith("Removed ", StringComparison.Ordinal)),
            "two days are removed",
            () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(["20261120.ids", "20261122.jsonl", "20261122.log", "room.json"], Names(folder["logs", "!a:localhost"]));
        Assert.Equal(["20261121.ids", "20261122.jsonl", "20261122.log", "room.json"], Names(folder["logs", "!b:localhost"]));

        // Today alone is larger.
        await PushAsync(service, [.. Enumerable.Range(0, 40).Select(_ => Some.Message(_room, new('y', 60_000)))]);
        await Wait.UntilAsync(
            () => !Names(folder["logs", "!a:localhost"]).Any(name => name.EndsWith(".jsonl", StringComparison.Ordinal)),
            "the last old day is removed",
            () => time.Advance(TimeSpan.FromMinutes(10)));
        Assert.Equal(41, service.Lines(_room).Count);
        var removals = service.Logged.Select(e => e.RenderMessage().Replace("\"", "", StringComparison.Ordinal))
            .Where(message => message.StartsWith("Removed ", StringComparison.Ordinal));
        Assert.Equal(
            ["Removed 4 files of days before 2026-11-22 (MaxBytes)", "Removed 4 files of days before 2026-11-23 (MaxBytes)"], removals);
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task Logs_within_their_limit_are_kept_and_the_service_goes_on()
    {
        using var folder = TempFolder.ForCaller();
        Directory.CreateDirectory(folder["logs", _room]);
        await File.WriteAllTextAsync(folder["logs", _room, "20261123.ids"], "", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["logs", _room, "20261101.ids"], "", TestContext.Current.CancellationToken);
        var time = new FakeTimeProvider(BeforeMidnight.AddHours(-12));
        using var service = new ServiceUnderTest(time, folder, settings: new() { ["LoggingService:MaxBytes"] = "1073741824" });
        for (var i = 0; i < 2; i++)
        {
            await PushAsync(service, Some.Message(_room));
            await Wait.UntilAsync(
                () => LogFolder.Segments(service.Logs).Length == 0, "a checkpoint", () => time.Advance(TimeSpan.FromSeconds(1)));
            time.Advance(TimeSpan.FromHours(1));
        }

        Assert.True(File.Exists(folder["logs", _room, "20261101.ids"]));
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task Low_space_is_a_warning_once_a_day()
    {
        var time = new FakeTimeProvider(BeforeMidnight);
        using var service = new ServiceUnderTest(time, settings: new() { ["LoggingService:WarnFreeBytes"] = "1000TB" });
        await PushAsync(service, Some.Message(_room));
        for (var day = 1; day <= 2; day++)
        {
            await Wait.UntilAsync(
                () => service.WarningsAndErrors.Count == day, "the warning of the day", () => time.Advance(TimeSpan.FromSeconds(61)));
            time.SetUtcNow(BeforeMidnight.AddDays(day));
        }

        Assert.All(
            service.WarningsAndErrors,
            warning => Assert.Matches(
                "^The file system of \".*logs\" has [0-9]+ MiB free. When it is almost full, transactions are refused. ", warning));
    }

    [Fact]
    public async Task A_room_without_a_day_goes_with_its_links_and_they_come_back_when_it_is_logged_again()
    {
        using var folder = TempFolder.ForCaller();
        var time = new FakeTimeProvider(BeforeMidnight);
        var homeserver = new StubHomeserver().WithoutAliases().AliasesOf(_room, "#logged_a:localhost").Alias("#logged_a:localhost", _room);
        using var service = new ServiceUnderTest(
            time, folder, settings: new() { ["LoggingService:RetainDays"] = "2" }, homeserver: homeserver);
        await PushAsync(service, Some.Message(_room));
        await Wait.UntilAsync(() => new FileInfo(folder["logs", "logged_a"]).LinkTarget == _room, "the alias is linked");
        Directory.CreateDirectory(folder["logs", "!other:localhost"]);
        await PushAsync(service, Some.Message("!other:localhost"));

        time.SetUtcNow(BeforeMidnight.AddDays(40));
        await Wait.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return !Directory.Exists(folder["logs", _room]);
            },
            "the folder is removed");
        await Wait.UntilAsync(() => new FileInfo(folder["logs", "logged_a"]).LinkTarget is null, "its link is removed");

        await PushAsync(service, Some.Message(_room, "again"));
        Assert.Equal(["<@alice:localhost> again"], service.Lines(_room));

        // The first one was written while the room was repaired.
        await PushAsync(service, Some.Message(_room, "and again"));
        await Wait.UntilAsync(() => File.Exists(folder["logs", "logged_a", "latest.log"]), "the alias is linked again");
    }

    [Fact]
    public async Task Folders_are_0750_and_files_0640()
    {
        using var service = new ServiceUnderTest();
        await PushAsync(service, Some.Message(_room), "{}");
        const UnixFileMode File0640 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        const UnixFileMode Folder0750 = File0640 | UnixFileMode.UserExecute | UnixFileMode.GroupExecute;
        var entries = new DirectoryInfo(service.Logs).EnumerateFileSystemInfos("*", SearchOption.AllDirectories);
        foreach (var entry in entries.Where(entry => entry.LinkTarget is null))
        {
            var expected = entry is DirectoryInfo ? Folder0750 : File0640;
            Assert.Equal((entry.FullName, expected), (entry.FullName, entry.UnixFileMode));
        }
    }

    [Fact]
    public async Task More_than_a_thousand_rooms_are_written_with_a_bounded_number_of_open_files()
    {
        using var service = new ServiceUnderTest();
        var rooms = Enumerable.Range(0, 1300).Select(_ => Some.RoomId()).ToArray();
        for (var round = 0; round < 2; round++)
        {
            foreach (var chunk in rooms.Chunk(130))
                await PushAsync(service, [.. chunk.Select(room => Some.Message(room, $"round {round}"))]);
        }

        Assert.All(rooms, room => Assert.Equal(2, service.Record(room).Count));
        if (OperatingSystem.IsLinux())
        {
            var open = new DirectoryInfo("/proc/self/fd").EnumerateFiles()
                .Count(file => file.LinkTarget?.StartsWith(service.Logs, StringComparison.Ordinal) == true);
            Assert.InRange(open, 1, 2002);
        }

        LogFolder.AssertLineForLine(service.Logs);
    }

    private static async Task PushAsync(ServiceUnderTest service, params string[] events)
    {
        Assert.Equal(200, (await service.PushAsync(Guid.NewGuid().ToString(), events)).Status);
        await service.ConnectedAsync();
    }

    private static string[] Names(string folder) =>
        [.. new DirectoryInfo(folder).GetFileSystemInfos().Select(entry => entry.Name).Order(StringComparer.Ordinal)];

    private string[] Files(ServiceUnderTest service) => Names(Path.Combine(service.Logs, _room));

    private string? LatestOf(ServiceUnderTest service) => new FileInfo(Path.Combine(service.Logs, _room, "latest.log")).LinkTarget;
}
