using System.Text;
using LoggingService.Events;
using LoggingService.Journal;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary><c>room.json</c>, in which the service keeps what it knows of a room.</summary>
public sealed class RoomFileTests : IDisposable
{
    private const string Tea = "!tea:localhost";
    private const string Milk = "!milk:localhost";

    /// <summary>The <c>origin_server_ts</c> of the events.</summary>
    private const string SentAt = "1795461611000";

    /// <summary>A busy disk can take seconds for each fsync, and there are several while a write waits.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    private string TeaFile => _folder["logs", Tea, "room.json"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_slow_write_of_one_room_json_delays_neither_logs_nor_the_files_of_other_rooms()
    {
        using var service = new ServiceUnderTest(_time, _folder);
        await service.PushAsync("1", Some.Message(Tea), Some.Message(Milk));
        var files = service.Services.GetRequiredService<RoomFiles>();
        using var started = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var writing = Task.Run(() => files.Update(Tea, WriteSlowly), TestContext.Current.CancellationToken);
        Assert.True(started.Wait(Limit, TestContext.Current.CancellationToken));
        await service.PushAsync(
            "2", Visibility("shared"), Some.State(Tea, "m.room.retention", """{"max_lifetime":1}"""), Some.Message(Milk, "meanwhile"));
        Assert.EndsWith("meanwhile", service.Lines(Milk)[^1], StringComparison.Ordinal);
        await Task.Run(() => files.Update(Milk, file => file with { HasNotLogged = true }), TestContext.Current.CancellationToken)
            .WaitAsync(Limit, TestContext.Current.CancellationToken);
        go.Set();
        await writing;
        await Wait.UntilAsync(
            () => ReadTea() is var text && text.Contains("sent_ts", StringComparison.Ordinal)
                && text.Contains("\"max_lifetime\":1", StringComparison.Ordinal),
            "what was logged meanwhile is kept");
        Assert.StartsWith("{\"notice_ts\":1,", ReadTea(), StringComparison.Ordinal);

        RoomFile WriteSlowly(RoomFile file)
        {
            started.Set();
            Assert.True(go.Wait(Limit));
            return file with { NoticeTs = 1 };
        }
    }

    [Fact]
    public async Task What_is_logged_of_other_rooms_is_kept_while_the_room_json_of_one_is_not_written()
    {
        using var service = new ServiceUnderTest(_time, _folder);
        await service.PushAsync("1", [Some.Message(Tea), .. new[] { Tea, Milk }.SelectMany(ToldBeforeWish)]);
        await Wait.UntilAsync(() => Read(Milk).Contains("\"creators\"", StringComparison.Ordinal), "the creators are kept");
        var files = service.Services.GetRequiredService<RoomFiles>();
        using var started = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var writing = Task.Run(() => files.Update(Tea, WriteSlowly), TestContext.Current.CancellationToken);
        Assert.True(started.Wait(Limit, TestContext.Current.CancellationToken));

        // Ten times: what waits for the slow one must not be in the way either.
        await service.PushAsync("2", [.. Enumerable.Range(0, 10).SelectMany(_ => Told(Tea)), .. Told(Milk)]);
        string[] told = ["sent_ts", "\"max_lifetime\":1", "\"topic_setters\"", "\"no_log_prefix\":\"!off\""];
        await Wait.UntilAsync(
            () => Read(Milk) is var text && told.All(words => text.Contains(words, StringComparison.Ordinal)), "it is kept");
        Assert.DoesNotContain("sent_ts", ReadTea(), StringComparison.Ordinal);
        go.Set();
        await writing;
        await Wait.UntilAsync(
            () => told.All(words => ReadTea().Contains(words, StringComparison.Ordinal)), "what waited is kept",
            () => _time.Advance(TimeSpan.FromSeconds(1)));

        RoomFile WriteSlowly(RoomFile file)
        {
            started.Set();
            Assert.True(go.Wait(Limit));
            return file with { NoticeTs = 1 };
        }

        static string[] ToldBeforeWish(string room) =>
        [
            Some.State(room, "m.room.create", """{"room_version":"11"}"""),
            Some.State(room, "m.room.power_levels", """{"users":{"@alice:localhost":100}}"""),
        ];

        static string[] Told(string room) =>
        [
            Some.State(room, "m.room.history_visibility", """{"history_visibility":"shared"}"""),
            Some.State(room, "m.room.retention", """{"max_lifetime":1}"""),
            Some.State(room, "m.room.power_levels", """{"users":{"@alice:localhost":50}}"""),
            Some.State(room, "com.loggingservice.room", """{"no_log_prefix":"!off"}"""),
        ];
    }

    [Theory]
    [InlineData("{\"max_lifetime\":31536000000}", 1, 31_536_000_000)]
    [InlineData("{\"max_lifetime\":31536000000,\"max_lifetime_ts\":2}", 1, 31_536_000_000)]
    [InlineData("{\"max_lifetime\":31536000000,\"max_lifetime_ts\":2}", 3, 2_592_000_000)]
    [InlineData("{\"max_lifetime\":0}", 1, 2_592_000_000)]
    public async Task An_older_retention_that_is_fetched_replaces_no_newer_one(string known, long sentAt, long lifetime)
    {
        Directory.CreateDirectory(_folder["logs", Tea]);
        await File.WriteAllTextAsync(TeaFile, known, TestContext.Current.CancellationToken);
        using var service = new ServiceUnderTest(_time, _folder);
        await service.PushAsync("1", Some.Message(Tea));
        var json = Some.State(Tea, "m.room.retention", """{"max_lifetime":2592000000}""")
            .Replace(SentAt, $"{sentAt}", StringComparison.Ordinal);
        var logs = service.Services.GetRequiredService<LogDirectory>();
        var e = RoomEvent.FromJournal(Encoding.UTF8.GetBytes(json), isNote: false)!;
        await logs.AppendAsync([JournalEntry.OfFetched(e, _time.GetUtcNow().ToUnixTimeMilliseconds(), day: null)]);
        await service.PushAsync("2", Visibility("shared"));
        await Wait.UntilAsync(() => ReadTea().Contains("sent_ts", StringComparison.Ordinal), "the change behind it is written");
        Assert.Contains($"\"max_lifetime\":{lifetime}", ReadTea(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_erased_log_said_is_not_written_later()
    {
        using var service = new ServiceUnderTest(_time, _folder);
        await service.PushAsync("1", Some.Message(Tea));
        FailWrites();
        await service.PushAsync("2", Visibility("world_readable"));
        await UntilAWriteFailedAsync(service);
        AllowWrites();
        service.Services.GetRequiredService<RoomFiles>().ForgetErased(Tea, hasLines: false);
        await service.PushAsync("3", Some.State(Tea, "m.room.retention", """{"max_lifetime":1}"""));
        await Wait.UntilAsync(
            () => ReadTea().Contains("max_lifetime", StringComparison.Ordinal), "later changes are written",
            () => _time.Advance(TimeSpan.FromMinutes(1)));
        Assert.DoesNotContain("sent_ts", ReadTea(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_waits_for_room_json_is_not_written_after_the_folder_of_the_room_was_removed()
    {
        using var service = new ServiceUnderTest(_time, _folder);
        await service.PushAsync("1", Some.Message(Tea));

        // As a read error.
        File.CreateSymbolicLink(TeaFile, TeaFile);
        await service.PushAsync("2", Visibility("shared"));
        await UntilAWriteFailedAsync(service);
        await service.CheckpointAsync();

        // As the removal of its last day does.
        Directory.Delete(_folder["logs", Tea], recursive: true);
        service.Services.GetRequiredService<RoomFiles>().Forget(Tea);
        await service.DisposeAsync();
        Assert.False(Directory.Exists(_folder["logs", Tea]));
    }

    [Fact]
    public async Task What_could_not_be_written_into_room_json_is_written_when_the_service_stops()
    {
        using var service = new ServiceUnderTest(_time, _folder);
        await service.PushAsync("1", Some.Message(Tea));
        FailWrites();
        await service.PushAsync("2", Visibility("shared"));
        await UntilAWriteFailedAsync(service);
        Assert.Equal("", ReadTea());
        AllowWrites();
        await service.DisposeAsync();
        Assert.Contains("sent_ts", ReadTea(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_change_of_who_may_read_a_room_is_kept_once_although_its_first_writes_failed()
    {
        using var service = new ServiceUnderTest(_time, _folder);
        await service.PushAsync("1", Some.Message(Tea));
        FailWrites();
        await PushAsync(service, "2", Visibility("world_readable"));
        await PushAsync(service, "3", Visibility("shared"));
        await UntilAWriteFailedAsync(service);
        AllowWrites();
        await PushAsync(service, "4", Visibility("world_readable"));
        await Wait.UntilAsync(() => CountOfChanges() >= 3, "they are written", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(3, CountOfChanges());
    }

    [Fact]
    public async Task Changes_that_are_logged_together_are_written_together()
    {
        using var service = new ServiceUnderTest(_time, _folder);
        await service.PushAsync("1", Some.Message(Tea));
        var writes = 0;
        using var watcher = new FileSystemWatcher(_folder["logs", Tea]) { EnableRaisingEvents = true };
        watcher.Renamed += (_, change) => writes += change.Name == "room.json" ? 1 : 0;
        await service.PushAsync(
            "2", Enumerable.Range(1, 100).Select(i => Visibility("shared").Replace(SentAt, $"{i}", StringComparison.Ordinal)));
        await Wait.UntilAsync(() => CountOfChanges() == 100, "they are written");
        Assert.InRange(writes, 0, 3);
    }

    [Fact]
    public async Task A_room_json_on_a_disk_that_is_not_mounted_is_not_replaced_later()
    {
        using var service = new ServiceUnderTest(_time, _folder, settings: new() { ["LoggingService:NoLogPrefix"] = "!off" });
        Directory.CreateDirectory(_folder["logs"]);
        Directory.CreateSymbolicLink(_folder["logs", Tea], _folder["disk"]);
        await service.PushAsync("1", Some.Message(Tea, "!off the record"));
        Directory.CreateDirectory(_folder["disk"]);
        await File.WriteAllTextAsync(TeaFile, """{"notice_ts":1}""", TestContext.Current.CancellationToken);
        await Wait.UntilAsync(
            () => File.Exists(_folder["logs", Tea, "latest.log"]), "the room is logged", () => _time.Advance(TimeSpan.FromSeconds(1)));
        await PushAsync(service, "2", Visibility("shared"));
        await Wait.UntilAsync(() => CountOfChanges() == 1, "the change is kept", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.StartsWith("{\"notice_ts\":1,", ReadTea(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_room_json_said_is_forgotten_with_the_folder_of_the_room()
    {
        using var service = new ServiceUnderTest(_time, _folder, settings: new() { ["LoggingService:RetainDays"] = "2" });
        await service.PushAsync("1", Some.State(Tea, "m.room.power_levels", """{"users":{"@alice:localhost":50}}"""));
        await Wait.UntilAsync(() => ReadTea().Contains("topic_setters", StringComparison.Ordinal), "it is kept");
        await service.ConnectedAsync();
        _time.Advance(TimeSpan.FromDays(40));
        await Wait.UntilAsync(
            () => !Directory.Exists(_folder["logs", Tea]), "the folder is removed", () => _time.Advance(TimeSpan.FromSeconds(1)));
        await PushAsync(service, "2", Visibility("shared"));
        await Wait.UntilAsync(() => CountOfChanges() == 1, "the change is kept", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.DoesNotContain("topic_setters", ReadTea(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_room_json_cannot_be_read_its_room_is_logged_as_if_it_had_no_wishes_rather_than_no_room()
    {
        Directory.CreateDirectory(_folder["logs", Tea]);
        File.CreateSymbolicLink(TeaFile, TeaFile);
        using var service = new ServiceUnderTest(_time, _folder, settings: new() { ["LoggingService:RoomMaySet"] = "paused" });
        await PushAsync(service, "1", Some.Message(Tea, "first"));
        File.Delete(TeaFile);
        await File.WriteAllTextAsync(TeaFile, """{"wishes":{"paused":true}}""", TestContext.Current.CancellationToken);
        await PushAsync(service, "2", Some.Message(Tea, "second"));

        // What was read counts until the service stops.
        File.Delete(TeaFile);
        File.CreateSymbolicLink(TeaFile, TeaFile);
        await PushAsync(service, "3", Some.Message(Tea, "third"));
        Assert.EndsWith("first", Assert.Single(service.Lines(Tea)), StringComparison.Ordinal);
    }

    private static string Visibility(string value) =>
        Some.State(Tea, "m.room.history_visibility", $$"""{"history_visibility":"{{value}}"}""");

    private async Task PushAsync(ServiceUnderTest service, string transactionId, string e)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await service.PushAsync(transactionId, e)).Status);
    }

    private void FailWrites() => Directory.CreateDirectory(_folder["logs", Tea, "room.json.new", "obstacle"]);

    private void AllowWrites() => Directory.Delete(_folder["logs", Tea, "room.json.new"], recursive: true);

    private static Task UntilAWriteFailedAsync(ServiceUnderTest service) => Wait.UntilAsync(
        () => service.WarningsAndErrors.Any(line => line.Contains("room.json", StringComparison.Ordinal)), "a write has failed");

    private string ReadTea() => Read(Tea);

    private string Read(string room) =>
        _folder["logs", room, "room.json"] is var path && File.Exists(path) ? File.ReadAllText(path) : "";

    private int CountOfChanges() => ReadTea().Split("\"sent_ts\"").Length - 1;
}
