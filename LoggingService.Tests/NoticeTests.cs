using System.Text.Json;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Rooms are told once that they are logged (<c>Notice</c>).</summary>
public class NoticeTests
{
    private const string Us = "@logging:localhost";
    private const string Tea = "#logged_tea:localhost";
    private const string Told = "*** a notice in the room says that it is logged";
    private const string Default = "Messages in this room are logged by @logging:localhost. Ask the administrators of localhost where to "
        + "read the log.";

    private readonly string _room = Some.RoomId();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();

    private string Send => $"PUT /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/send/m.room.message/";

    [Theory]
    [InlineData("on", Default)]
    [InlineData("Read along at https://logs.{server}/, says {user}", "Read along at https://logs.localhost/, says @logging:localhost")]
    public async Task A_room_that_our_user_is_a_member_of_is_told_once(string setting, string text)
    {
        using var service = Start(Joined(), setting);
        await service.PushAsync("1", Some.Message(_room));
        await UntilToldAsync(service);
        await service.PushAsync("2", Some.Message(_room, "again"));
        Assert.Equal(["<@alice:localhost> hello", Told, "<@alice:localhost> again"], service.Lines(_room));
        var content = JsonElement.Parse(Assert.Single(Notices(_homeserver)).Body);
        Assert.Equal(text, content.GetProperty("body").GetString());
        Assert.Equal("m.notice", content.GetProperty("msgtype").GetString());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_room_that_was_told_is_not_told_again_after_a_restart(bool isKilled, bool isFileLost)
    {
        var folder = TempFolder.ForCaller();
        var service = Start(Joined(), "on", folder);
        await service.PushAsync("1", Some.Message(_room));
        await UntilToldAsync(service);
        folder = await service.StopAsync(folder, isKilled);
        if (isFileLost)
        {
            File.Delete(folder["logs", _room, "room.json"]);
        }

        var homeserver = new StubHomeserver().WithoutAliases();
        service = Start(Joined(homeserver), "on", folder);
        await service.PushAsync("2", Some.Message(_room));
        await Wait.UntilAsync(() => File.Exists(Path.Combine(service.Logs, _room, "room.json")), "the file is there");
        Assert.Empty(Notices(homeserver));
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_room_whose_record_has_our_notice_is_not_told_again()
    {
        using var service = Start(Joined(), "on");
        await service.PushAsync("1", Some.Message(_room, Default, sender: Us));
        await Wait.UntilAsync(() => File.Exists(Path.Combine(service.Logs, _room, "room.json")), "the file is there");
        Assert.Empty(Notices(_homeserver));
    }

    [Fact]
    public async Task Where_our_user_may_not_speak_it_tries_again_when_the_power_levels_change()
    {
        Joined().On(Send + "*", 403, """{"errcode":"M_FORBIDDEN","error":"no"}""");
        using var service = Start(_homeserver, "on");
        await service.PushAsync("1", Some.Message(_room));
        await Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage().StartsWith("Failed to tell", StringComparison.Ordinal)), "it is refused");
        _homeserver.On(Send + "*", """{"event_id":"$notice"}""");
        await service.PushAsync("2", Some.Message(_room));
        Assert.Single(Notices(_homeserver));
        await service.PushAsync("3", Some.State(_room, "m.room.power_levels", """{"events_default":0}"""));
        await UntilToldAsync(service);
        Assert.Equal(2, Notices(_homeserver).Count);
    }

    [Fact]
    public async Task A_room_with_a_damaged_day_is_read_once_and_not_told_before_the_next_start()
    {
        var folder = TempFolder.ForCaller();
        var damaged = folder["logs", _room, "20250101.jsonl.gz"];
        Directory.CreateDirectory(folder["logs", _room]);
        for (var day = 1; day <= 31; day++)
        {
            // The ids of no earlier day are needed to log an event.
            await File.WriteAllTextAsync(folder["logs", _room, $"202510{day:00}.jsonl"], "{}\n", TestContext.Current.CancellationToken);
        }

        await File.WriteAllTextAsync(damaged, "no gzip", TestContext.Current.CancellationToken);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var service = Start(Joined(), "on", folder, time);
        await service.PushAsync("1", Some.Message(_room));
        await Wait.UntilAsync(() => Failures() == 1, "the warning");
        File.Delete(damaged);
        await service.PushAsync("2", Some.Message(_room));
        for (var i = 0; i < 10; i++)
        {
            time.Advance(TimeSpan.FromSeconds(20));
            await service.CaughtUpAsync();
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.Empty(Notices(_homeserver));
        Assert.Equal(1, Failures());
        folder = await service.StopAsync(folder, isKilled: false);
        var homeserver = new StubHomeserver().WithoutAliases();
        service = Start(Joined(homeserver), "on", folder, time);
        await service.PushAsync("3", Some.Message(_room));
        await UntilToldAsync(service);
        Assert.Single(Notices(homeserver));
        await service.DisposeAsync();
        folder.Dispose();

        int Failures() => service.WarningsAndErrors.Count(text => text.StartsWith("Failed to read whether", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_room_whose_whole_log_has_expired_is_not_told_again()
    {
        var folder = TempFolder.ForCaller();
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        var service = Start(Joined(), "on", folder, time, retainDays: "2");
        await service.PushAsync("1", Some.Message(_room));
        await UntilToldAsync(service);
        folder = await service.StopAsync(folder, isKilled: false);

        // The ids of the day have expired, too.
        time.Advance(TimeSpan.FromDays(60));
        service = Start(_homeserver, "on", folder, time, retainDays: "2");
        await service.PushAsync("2", Some.Message(Some.RoomId()));
        await Wait.UntilAsync(
            () => Directory.GetFiles(Path.Combine(service.Logs, _room), "2026*").Length == 0, "the log has expired",
            () => time.Advance(TimeSpan.FromSeconds(1)));
        folder = await service.StopAsync(folder, isKilled: false);
        service = Start(_homeserver, "on", folder, time, retainDays: "2");
        await service.PushAsync("3", Some.Message(_room));
        await service.PushAsync("4", Some.Message(_room));
        Assert.Single(Notices(_homeserver));
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Rooms_without_our_user_and_rooms_without_a_logged_alias_are_not_told()
    {
        var other = Some.RoomId();
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{other}}"]}""").AliasesOf(other, "#tea:localhost");
        using var service = Start(_homeserver, "on");
        await service.PushAsync("1", Some.Message(_room), Some.Message(other));
        await service.PushAsync("2", Some.Message(_room), Some.Message(other));
        Assert.DoesNotContain(_homeserver.Calls, call => call.Line.StartsWith("PUT ", StringComparison.Ordinal));
        Assert.Equal(2, service.Lines(_room).Count);
    }

    [Fact]
    public async Task With_the_setting_off_no_room_is_told()
    {
        using var service = Start(Joined(), "off");
        await service.PushAsync("1", Some.Message(_room));
        await service.PushAsync("2", Some.Message(_room));
        Assert.Empty(Notices(_homeserver));
    }

    [Theory]
    [InlineData("#logged_tea:localhost", "logged_tea")]
    [InlineData("#irc_tea:localhost", "irc_tea (logged)")]
    public async Task A_room_that_we_create_says_in_its_name_and_topic_that_it_is_logged(string alias, string name)
    {
        var homeserver = new StubHomeserver().CreatingRooms();
        using var service = new ServiceUnderTest(
            homeserver: homeserver, registration: ServiceUnderTest.RegistrationText(aliases: "#(logged|irc)_.*"),
            settings: new() { ["LoggingService:Notice"] = "on" });
        Assert.Equal(200, (await AliasQueries.QueryAsync(service, alias)).Status);
        var body = JsonElement.Parse(homeserver.Calls.Single(call => call.Line == AliasQueries.CreateRoom).Body);
        Assert.Equal(name, body.GetProperty("name").GetString());
        Assert.Equal(Default, body.GetProperty("topic").GetString());
    }

    private static ServiceUnderTest Start(
        StubHomeserver homeserver, string notice, TempFolder? folder = null, TimeProvider? time = null, string? retainDays = null)
    {
        var settings = new Dictionary<string, string> { ["LoggingService:Notice"] = notice };
        if (retainDays is not null)
        {
            settings["LoggingService:RetainDays"] = retainDays;
        }

        return new(time, folder, homeserver: homeserver, settings: settings);
    }

    private StubHomeserver Joined(StubHomeserver? homeserver = null) => (homeserver ?? _homeserver)
        .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
        .AliasesOf(_room, Tea)
        .On(Send + "*", """{"event_id":"$notice"}""");

    private async Task UntilToldAsync(ServiceUnderTest service)
    {
        var file = Path.Combine(service.Logs, _room, "room.json");
        await Wait.UntilAsync(
            () => File.Exists(file) && File.ReadAllText(file).Contains("notice_ts", StringComparison.Ordinal), "the notice is sent");
        await service.CaughtUpAsync();
    }

    private List<StubHomeserver.Request> Notices(StubHomeserver homeserver) =>
        [.. homeserver.Calls.Where(call => call.Line.StartsWith(Send, StringComparison.Ordinal))];
}
