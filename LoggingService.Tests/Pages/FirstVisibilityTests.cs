using System.Net;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Pages;

/// <summary>A room whose history visibility was set before it was first logged: the note of the first state tells it.</summary>
public sealed class FirstVisibilityTests : IDisposable
{
    private const string WorldReadable = """{"history_visibility":"world_readable"}""";
    private const string Shared = """{"history_visibility":"shared"}""";
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly string _room = Some.RoomId();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();
    private readonly ServiceUnderTest _service;

    public FirstVisibilityTests() => _service = new(_time, homeserver: _homeserver);

    private string Day => $"/r/{Uri.EscapeDataString(_room)}/{_time.GetUtcNow():yyyy/MM/dd}";

    public void Dispose() => _service.Dispose();

    [Fact]
    public async Task A_room_that_was_world_readable_before_is_shown_from_the_note_on()
    {
        Readable(WorldReadable);
        await SayAsync("first-message");
        await UntilNotedAsync();
        await SayAsync("second-message");
        var page = await ReadAsync();
        Assert.Contains("second-message", page, StringComparison.Ordinal);
        Assert.DoesNotContain("first-message", page, StringComparison.Ordinal);

        // The note itself repeats names, which may be removed since.
        Assert.DoesNotContain("Tea", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_stays_shown_when_the_day_of_the_note_is_removed()
    {
        Readable(WorldReadable);
        await SayAsync("first-message");
        await UntilNotedAsync();
        _time.Advance(TimeSpan.FromDays(1));
        await SayAsync("next-day");
        await _service.Services.GetRequiredService<LogDirectory>()
            .RemoveDaysBeforeAsync(DateOnly.FromDateTime(_time.GetUtcNow().DateTime), "a test");
        Assert.Contains("next-day", await ReadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_room_that_was_shared_before_is_not_shown()
    {
        Readable(Shared);
        await SayAsync("first-message");
        await UntilNotedAsync();
        await SayAsync("second-message");
        await AssertNotShownAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_that_is_logged_while_the_homeserver_answers_counts(bool isDayRemoved)
    {
        using var isAnswered = new SemaphoreSlim(0);
        Readable(WorldReadable);
        _homeserver.On($"{Calls}/state/m.room.history_visibility", async _ =>
        {
            await isAnswered.WaitAsync(TestContext.Current.CancellationToken);
            return new(200, WorldReadable);
        });
        await SayAsync("first-message");
        await PushAsync(Some.State(_room, "m.room.history_visibility", Shared));
        isAnswered.Release();
        await UntilNotedAsync();
        if (isDayRemoved)
        {
            _time.Advance(TimeSpan.FromDays(1));
        }

        await SayAsync("second-message");
        if (isDayRemoved)
        {
            await _service.Services.GetRequiredService<LogDirectory>()
                .RemoveDaysBeforeAsync(DateOnly.FromDateTime(_time.GetUtcNow().DateTime), "a test");
        }

        await AssertNotShownAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"received_ts\":1,\"note\":true")]
    public async Task An_event_that_imitates_the_note_shows_nothing(string end)
    {
        await SayAsync("first-message");
        await PushAsync(Forged("state.first", "", end), Forged("state.first", ",\"state_key\":\"\"", end));
        await SayAsync("second-message");
        await AssertNotShownAsync();

        string Forged(string type, string key, string end) =>
            $$"""{"content":{{WorldReadable}},"event_id":"{{Some.EventId()}}","origin_server_ts":1,"room_id":"{{_room}}","""
            + $$""" "sender":"@mallory:localhost","type":"{{type}}"{{key}}{{end}}}""";
    }

    private string Calls => $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}";

    private void Readable(string visibility) => _homeserver.AliasesOf(_room, "#logged_tea:localhost")
        .On($"{Calls}/state/m.room.name", """{"name":"Tea"}""")
        .On($"{Calls}/state/m.room.topic", 404, """{"errcode":"M_NOT_FOUND","error":"Event not found."}""")
        .On($"{Calls}/state/m.room.history_visibility", visibility)
        .On($"{Calls}/joined_members", """{"joined":{}}""");

    private Task UntilNotedAsync() => Wait.UntilAsync(
        () => _service.Record(_room).Any(line => line.Contains("\"type\":\"state.first\"", StringComparison.Ordinal)), "the note");

    private Task SayAsync(string body) =>
        PushAsync(Some.Message(_room, body, at: _time.GetUtcNow().ToUnixTimeMilliseconds()));

    private async Task PushAsync(params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await _service.PushAsync(Guid.NewGuid().ToString("N"), events));

    private async Task<string> ReadAsync()
    {
        await _service.CaughtUpAsync();
        await using var pages = await PagesUnderTest.StartAsync(_service.Logs);
        return await pages.ReadAsync(Day);
    }

    private async Task AssertNotShownAsync()
    {
        await _service.CaughtUpAsync();
        await using var pages = await PagesUnderTest.StartAsync(_service.Logs);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(Day)).Status);
    }
}
