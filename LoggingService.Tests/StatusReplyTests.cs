using System.Runtime.InteropServices;
using System.Text.Json;
using LoggingService.Events;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Members ask how a room is logged by the message <c>!log status</c>.</summary>
public class StatusReplyTests
{
    private readonly string _room = Some.RoomId();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();
    private readonly FakeTimeProvider _time = new(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    private string Send => $"PUT /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/send/m.room.message/";

    [Fact]
    public async Task A_member_gets_an_answer_once_a_minute()
    {
        Join();
        using var service = Start(new()
        {
            ["LoggingService:RetainDays"] = "90",
            ["LoggingService:NoLogPrefix"] = "!nolog",
        });
        await service.PushAsync("1", Some.Message(_room, "!log status"), Some.Message(_room, "!log status"));
        await Wait.UntilAsync(() => Answers().Count == 1, "the answer is sent");
        var content = JsonElement.Parse(Answers()[0].Body);
        Assert.Equal("m.notice", content.GetProperty("msgtype").GetString());
        Assert.Equal(
            """
            Messages in this room are logged by @logging:localhost.
            The log begins on 2026-11-23.
            It is kept for 90 days.
            Messages that begin with !nolog are not logged.
            """,
            content.GetProperty("body").GetString());

        _time.Advance(TimeSpan.FromSeconds(59));
        await service.PushAsync("2", Some.Message(_room, "!log status"));
        _time.Advance(TimeSpan.FromSeconds(2));
        await service.PushAsync("3", Some.Message(_room, "!log status"));
        await Wait.UntilAsync(() => Answers().Count == 2, "the second answer is sent");
        Assert.Equal(2, Answers().Select(call => call.Line).Distinct().Count());
    }

    [Fact]
    public async Task A_question_in_a_pause_is_answered_and_not_logged()
    {
        Join();
        var path = $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/state/";
        _homeserver.On(path + "m.room.create", """{"room_version":"12","sender":"@alice:localhost"}""")
            .On(path + "m.room.power_levels", "{}");
        using var service = Start(new() { ["LoggingService:RoomMaySet"] = "paused" });
        await service.PushAsync("1", Some.State(_room, "com.loggingservice.room", """{"paused":true}"""));
        await Wait.UntilAsync(() => service.Lines(_room)[^1].EndsWith(": paused", StringComparison.Ordinal), "the pause");
        await service.PushAsync("2", Some.Message(_room, "!log status"), Some.Message(_room, "unheard"));
        await Wait.UntilAsync(() => Answers().Count == 1, "the answer is sent");
        Assert.EndsWith(
            "It is paused at the room's wish: no message is logged.",
            JsonElement.Parse(Answers()[0].Body).GetProperty("body").GetString());
        Assert.DoesNotContain(service.Record(_room), line => line.Contains("!log status", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_question_that_is_fetched_later_is_not_answered()
    {
        Join();
        using var service = Start([]);
        _ = service.Client;
        await service.PushAsync("1", Some.Message(_room));
        var e = RoomEvent.FromJournal(System.Text.Encoding.UTF8.GetBytes(Some.Message(_room, "!log status")), isNote: false)!;
        var logs = service.Services.GetRequiredService<RoomLogs.LogDirectory>();
        await logs.AppendAsync([Journal.JournalEntry.OfFetched(e, fetchedTs: 7, day: null)]);
        await logs.CaughtUpAsync();

        // Answers are sent in order, at most one a minute in a room.
        await service.PushAsync("2", Some.Message(_room, "!log status", "$pushed"));
        await Wait.UntilAsync(() => Answers().Count == 1, "an answer is sent");
        var id = Convert.ToHexStringLower(System.IO.Hashing.XxHash128.Hash(MemoryMarshal.AsBytes("$pushed".AsSpan())));
        Assert.EndsWith(id, Answers()[0].Line);
    }

    [Fact]
    public async Task Other_messages_and_rooms_without_our_user_get_none()
    {
        using var service = Start([]);
        await service.PushAsync("1", Some.Message(_room, "!log status"));
        Join();
        await service.PushAsync(
            "2", Some.Message(_room, "!log status?"),
            Some.Message(_room, "!log status").Replace("m.text", "m.notice", StringComparison.Ordinal));
        Assert.Empty(Answers());
    }

    private ServiceUnderTest Start(Dictionary<string, string> settings) => new(_time, homeserver: _homeserver, settings: settings);

    private void Join() => _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
        .AliasesOf(_room, "#logged_tea:localhost")
        .On(Send + "*", """{"event_id":"$answer"}""");

    private List<StubHomeserver.Request> Answers() =>
        [.. _homeserver.Calls.Where(call => call.Line.StartsWith(Send, StringComparison.Ordinal))];
}
