using LoggingService.Consent;
using LoggingService.Events;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>A room decides about its log by the state event <c>com.loggingservice.room</c>, as far as <c>RoomMaySet</c> lets it.</summary>
public class RoomWishTests
{
    private const string Alice = "@alice:localhost";
    private const string Bob = "@bob:localhost";
    private const string Levels = """{"users":{"@alice:localhost":50},"state_default":50}""";
    private const string Off = """{"no_log_prefix":"!off"}""";
    private readonly string _room = Some.RoomId();
    private int _transaction;

    [Fact]
    public async Task Messages_with_the_rooms_own_prefix_are_not_logged_also_after_a_restart()
    {
        var folder = TempFolder.ForCaller();
        var service = Start(folder: folder);
        await PushAsync(service, Create("11", Alice), State("m.room.power_levels", Levels, Alice));
        await WishAsync(service, Off, Alice);
        Assert.Equal("*** @alice:localhost set how the room is logged: not what begins with \"!off\"", service.Lines(_room)[^1]);
        await PushAsync(service, Some.Message(_room, "!off secret"));
        folder = await service.StopAsync(folder, isKilled: false);

        service = Start(folder: folder);
        await PushAsync(service, Some.Message(_room, "!off secret"), Some.Message(_room, "hello"));
        string[] lines = [.. service.Lines(_room).TakeLast(3)];
        Assert.Equal(
            [
                "<@alice:localhost, not logged> [not logged at the sender's wish]",
                "<@alice:localhost, not logged> [not logged at the sender's wish]", "<@alice:localhost> hello",
            ],
            lines);
        await WishAsync(service, "{}", Alice);
        Assert.Equal("*** @alice:localhost set how the room is logged: by the service's settings", service.Lines(_room)[^1]);
        await PushAsync(service, Some.Message(_room, "!off on"));
        Assert.Equal("<@alice:localhost> !off on", service.Lines(_room)[^1]);
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData("11", Alice, Levels, Bob, false)]
    [InlineData("11", Alice, """{"events":{"m.room.topic":0}}""", Bob, true)]
    [InlineData("11", Alice, """{"users_default":50}""", Bob, true)]
    [InlineData("11", Alice, """{"users":{"@bob:localhost":50},"events":{"m.room.topic":51}}""", Bob, false)]
    [InlineData("9", Alice, """{"users":{"@bob:localhost":"50"},"state_default":"50"}""", Bob, true)]
    [InlineData("11", Alice, """{"users":{"@bob:localhost":[100]}}""", Bob, false)]
    [InlineData("11", Alice, """{"users":{}}""", Alice, false)]
    [InlineData("12", Alice, """{"users":{}}""", Alice, true)]
    [InlineData("12\",\"additional_creators\":[\"@bob:localhost\"],\"x\":\"", Alice, """{"users":{}}""", Bob, true)]
    [InlineData("12", Alice, """{"users":{}}""", Bob, false)]
    [InlineData("11", Alice, null, Alice, false)]
    public async Task The_wishes_of_who_may_set_the_topic_count(string version, string creator, string? levels, string sender, bool counts)
    {
        using var service = Start();
        await PushAsync(service, Create(version, creator));
        if (levels is not null)
        {
            await PushAsync(service, State("m.room.power_levels", levels, creator));
        }

        await WishAsync(service, Off, sender);
        Assert.Equal(
            counts
                ? $"*** {sender} set how the room is logged: not what begins with \"!off\""
                : $"*** {sender} wants to set how the room is logged, and may not",
            service.Lines(_room)[^1]);
        await PushAsync(service, Some.Message(_room, "!off text"));
        Assert.Equal(!counts, service.Lines(_room)[^1].EndsWith("!off text", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Alice, true)]
    [InlineData(Bob, false)]
    public async Task Where_our_user_is_a_member_the_homeserver_knows_the_power_levels(string sender, bool counts)
    {
        var path = $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/state/";
        var homeserver = new StubHomeserver().WithoutAliases()
            .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
            .AliasesOf(_room, "#logged_tea:localhost")
            .On(path + "m.room.create", """{"room_version":"11","sender":"@carol:localhost"}""")
            .On(path + "m.room.power_levels", Levels);
        using var service = Start(homeserver: homeserver);
        await WishAsync(service, Off, sender);
        Assert.Equal(counts, service.Lines(_room)[^1].Contains("set how the room is logged: not", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_admin_does_not_allow_has_no_effect()
    {
        using var service = Start("notice");
        await PushAsync(service, Create("11", Alice), State("m.room.power_levels", Levels, Alice));
        await WishAsync(service, """{"no_log_prefix":"!off","notice":false,"paused":true,"redactions":"erase"}""", Alice);
        Assert.Equal("*** @alice:localhost set how the room is logged: without a notice", service.Lines(_room)[^1]);
        await PushAsync(service, Some.Message(_room, "!off text"));
        Assert.Equal("<@alice:localhost> !off text", service.Lines(_room)[^1]);
    }

    [Fact]
    public async Task During_a_pause_nothing_is_logged_but_who_may_end_it()
    {
        using var service = Start("paused,redactions");
        await PushAsync(service, Create("11", Alice), State("m.room.power_levels", Levels, Alice));
        await WishAsync(service, """{"paused":true,"redactions":"erase"}""", Alice);
        Assert.Equal("*** @alice:localhost set how the room is logged: paused and without removed messages", service.Lines(_room)[^1]);
        await PushAsync(service, Some.Message(_room, "unheard"), State("m.room.topic", """{"topic":"unheard"}""", Alice));
        await PushAsync(service, State("m.room.power_levels", """{"users":{"@bob:localhost":50}}""", Alice));
        await WishAsync(service, "{}", Bob);
        await PushAsync(service, Some.Message(_room, "heard"));
        Assert.Equal("<@alice:localhost> heard", service.Lines(_room)[^1]);
        Assert.DoesNotContain(service.Record(_room), line => line.Contains("unheard", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pause_ends_although_the_days_that_say_who_may_end_it_have_expired()
    {
        var folder = TempFolder.ForCaller();
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        var service = Start("paused", folder, time: time);
        await PushAsync(service, Create("11", Alice), State("m.room.power_levels", Levels, Alice));
        await WishAsync(service, """{"paused":true}""", Alice);
        await Wait.UntilAsync(
            () => RoomFile(folder) is var text && text.Contains("topic_setters", StringComparison.Ordinal)
                && text.Contains("creators", StringComparison.Ordinal), "it is kept");
        Assert.DoesNotContain("alice", RoomFile(folder), StringComparison.Ordinal);
        folder = await service.StopAsync(folder, isKilled: false);
        foreach (var file in Directory.GetFiles(folder["logs", _room], "2026*"))
        {
            // As RetainDays does.
            File.Delete(file);
        }

        time.Advance(TimeSpan.FromDays(90));
        service = Start("paused", folder, time: time);
        await PushAsync(service, Some.Message(_room, "unheard"));
        await WishAsync(service, "{}", Bob);
        Assert.Equal("*** @bob:localhost wants to set how the room is logged, and may not", service.Lines(_room)[^1]);
        await WishAsync(service, "{}", Alice);
        await PushAsync(service, Some.Message(_room, "heard"));
        Assert.Equal("<@alice:localhost> heard", service.Lines(_room)[^1]);
        Assert.DoesNotContain(service.Record(_room), line => line.Contains("unheard", StringComparison.Ordinal));
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData("""{"users":{"@bob:localhost":-1},"users_default":50}""", true, false)]
    [InlineData("""{"users":{"@alice:localhost":50}}""", true, false)]
    [InlineData("""{"users":{"@alice:localhost":50},"state_default":"x"}""", false, false)]
    [InlineData("""{"users_default":50,"users":{"@alice:localhost":"x","@bob:localhost":"50"}}""", false, true)]
    public void What_is_kept_of_power_levels_decides_as_they_do(string levels, bool alice, bool bob)
    {
        var creators = TopicSetters.OfCreation(Json("""{"room_version":"11"}"""), Alice);
        var setters = TopicSetters.OfPowerLevels(Json(levels), 7);
        Assert.Equal(alice, TopicSetters.Contain(creators, setters, Alice));
        Assert.Equal(bob, TopicSetters.Contain(creators, setters, Bob));
        Assert.Equal(7, TopicSetters.SentAt(setters));
        Assert.False(TopicSetters.Contain(default, setters, Alice));
        Assert.False(TopicSetters.Contain(creators, default, Alice));

        static RawJson Json(string text) => new(System.Text.Encoding.UTF8.GetBytes(text));
    }

    [Fact]
    public async Task Wishes_of_any_depth_are_kept()
    {
        var folder = TempFolder.ForCaller();
        var service = Start(folder: folder);
        await PushAsync(service, Create("11", Alice), State("m.room.power_levels", Levels, Alice));
        await WishAsync(service, $$"""{"x":{{Some.NestedArrays(2_000)}},"no_log_prefix":"!off"}""", Alice);
        folder = await service.StopAsync(folder, isKilled: false);
        service = Start(folder: folder);
        await PushAsync(service, Some.Message(_room, "!off secret"));
        Assert.EndsWith("[not logged at the sender's wish]", service.Lines(_room)[^1]);
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Older_wishes_that_are_fetched_later_do_not_replace_newer_ones()
    {
        var folder = TempFolder.ForCaller();
        var service = Start(folder: folder);
        await PushAsync(service, Create("11", Alice), State("m.room.power_levels", Levels, Alice));
        await WishAsync(service, Off, Alice);
        folder = await service.StopAsync(folder, isKilled: false);
        service = Start(folder: folder);
        var older = State("com.loggingservice.room", "{}", Alice).Replace("1795461611000", "1795461610000", StringComparison.Ordinal);
        await FetchAsync(service, older);
        await FetchAsync(service, State("com.loggingservice.room", """{"no_log_prefix":"!on"}""", Alice)
            .Replace("1795461611000", "1795461612000", StringComparison.Ordinal));
        const string Newer = "*** @alice:localhost set how the room is logged: not what begins with \"!on\"";
        await Wait.UntilAsync(() => service.Lines(_room)[^1] == Newer, "the newer one counts");
        Assert.Equal(2, service.Lines(_room).Count(line => line.StartsWith("*** @alice:localhost set how", StringComparison.Ordinal)));
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Wishes_that_can_not_be_checked_now_count_later_and_delay_no_other_room()
    {
        var other = Some.RoomId();
        var path = $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/state/";
        var homeserver = new StubHomeserver().WithoutAliases()
            .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
            .AliasesOf(_room, "#logged_tea:localhost")
            .On(path + "m.room.create", 500, """{"errcode":"M_UNKNOWN","error":"later"}""");
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var service = Start(homeserver: homeserver, time: time);
        await PushAsync(service, State("com.loggingservice.room", Off, Alice));
        await Wait.UntilAsync(() => homeserver.Calls.Any(call => call.Line == path + "m.room.create"), "a call fails");
        await PushAsync(
            service, State("m.room.create", """{"room_version":"11"}""", Alice, other), State("m.room.power_levels", Levels, Alice, other),
            State("com.loggingservice.room", Off, Alice, other));
        await Wait.UntilAsync(
            () => service.Lines(other)[^1].Contains("set how the room is logged", StringComparison.Ordinal), "the other room's count",
            () => time.Advance(TimeSpan.FromMilliseconds(500)));
        Assert.DoesNotContain(service.Lines(_room), line => line.Contains("the room is logged", StringComparison.Ordinal));
        homeserver.On(path + "m.room.create", """{"room_version":"11","sender":"@carol:localhost"}""")
            .On(path + "m.room.power_levels", Levels);
        await Wait.UntilAsync(
            () => service.Lines(_room)[^1].Contains("set how the room is logged", StringComparison.Ordinal), "they count",
            () => time.Advance(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task A_room_that_wants_no_notice_is_not_told()
    {
        var joined = $$"""{"joined_rooms":["{{_room}}"]}""";
        var folder = TempFolder.ForCaller();
        var service = Start(folder: folder);
        await PushAsync(service, Create("11", Alice), State("m.room.power_levels", Levels, Alice));
        await WishAsync(service, """{"notice":false}""", Alice);
        folder = await service.StopAsync(folder, isKilled: false);

        var homeserver = new StubHomeserver().WithoutAliases().On("GET /_matrix/client/v3/joined_rooms", joined)
            .AliasesOf(_room, "#logged_tea:localhost");
        service = new ServiceUnderTest(homeserver: homeserver, folder: folder, settings: new() { ["LoggingService:Notice"] = "on" });
        await PushAsync(service, Some.Message(_room));
        await PushAsync(service, Some.Message(_room));
        Assert.DoesNotContain(homeserver.Calls, call => call.Line.StartsWith("PUT ", StringComparison.Ordinal));
        await service.DisposeAsync();
        folder.Dispose();
    }

    private static ServiceUnderTest Start(
        string? maySet = null, TempFolder? folder = null, StubHomeserver? homeserver = null, TimeProvider? time = null) => new(
        time, folder, homeserver: homeserver, settings: maySet is null ? null : new() { ["LoggingService:RoomMaySet"] = maySet });

    private string RoomFile(TempFolder folder) =>
        folder["logs", _room, "room.json"] is var path && File.Exists(path) ? File.ReadAllText(path) : "";

    private static async Task FetchAsync(ServiceUnderTest service, string json)
    {
        _ = service.Client;
        var e = RoomEvent.FromJournal(System.Text.Encoding.UTF8.GetBytes(json), isNote: false)!;
        var logs = service.Services.GetRequiredService<RoomLogs.LogDirectory>();
        await logs.AppendAsync([Journal.JournalEntry.OfFetched(e, fetchedTs: 7, day: null)]);
        await logs.CaughtUpAsync();
    }

    private async Task PushAsync(ServiceUnderTest service, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync($"{++_transaction}-{Guid.NewGuid()}", events)).Status);

    /// <summary>Pushes the state event and waits for the note about it.</summary>
    private async Task WishAsync(ServiceUnderTest service, string content, string sender)
    {
        await PushAsync(service, State("com.loggingservice.room", content, sender));
        var lines = service.Lines(_room).Count;
        await Wait.UntilAsync(() => service.Lines(_room).Count > lines || IsNoted(service), "the note is logged");
        await service.CaughtUpAsync();
    }

    private bool IsNoted(ServiceUnderTest service) =>
        service.Lines(_room)[^1] is var last && last.StartsWith("*** ", StringComparison.Ordinal)
        && last.Contains("how the room is logged", StringComparison.Ordinal);

    private string Create(string version, string creator) => State("m.room.create", $$"""{"room_version":"{{version}}"}""", creator);

    private string State(string type, string content, string sender, string? room = null) =>
        Some.State(room ?? _room, type, content, sender: sender);
}
