using System.Text;
using LoggingService.Events;
using LoggingService.Rooms;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests;

/// <summary>A room is decided once a transaction, and again where the transaction changes what the decision is based on.</summary>
public class LoggedRoomsPerTransactionTests
{
    private const string Us = "@logging:localhost";
    private readonly string _joined = Some.RoomId();
    private readonly string _other = Some.RoomId();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();

    public LoggedRoomsPerTransactionTests() => _homeserver
        .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_joined}}"]}""")
        .AliasesOf(_joined);

    [Fact]
    public async Task The_aliases_of_a_room_are_queried_once()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        var logged = await FilterAsync(service, Message(_joined), Message(_other), Message(_joined), Member("join"), Message(_joined));
        Assert.Equal([1], logged);
        Assert.Equal(1, Queries());
        Assert.Empty(await FilterAsync(service, Message(_joined), Message(_joined)));
        Assert.Equal(2, Queries());
    }

    [Fact]
    public async Task Our_membership_decides_about_the_events_after_it()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        var logged = await FilterAsync(service, Message(_joined), Member("leave"), Message(_joined), Message(_joined),
            Member("invite"), Message(_joined), Member("join"), Message(_joined));
        Assert.Equal([2, 3, 4, 5], logged);
        Assert.Equal(1, Queries());
    }

    [Fact]
    public async Task A_room_that_we_create_is_logged_from_that_event_on()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        var create = Event(_joined, "m.room.create", "", "{}");
        Assert.Equal([1, 2, 3], await FilterAsync(service, Message(_joined), create, Message(_joined), Member("leave")));
    }

    [Fact]
    public async Task An_alias_that_is_found_meanwhile_counts_for_all_events()
    {
        _homeserver.AliasesOf(_joined, "#logged_tea:localhost");
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        Assert.Equal([0, 1, 2, 3], await FilterAsync(service, Message(_joined), Message(_joined), Member("leave"), Message(_joined)));
    }

    /// <summary>Returns which of the events are logged.</summary>
    private static async Task<IEnumerable<int>> FilterAsync(ServiceUnderTest service, params string[] events)
    {
        var transaction = events.Select(json => RoomEvent.FromRecord(Encoding.UTF8.GetBytes(json))!).ToList();
        var logged = await service.Services.GetRequiredService<LoggedRooms>().FilterAsync(transaction);
        return logged.Where(e => !e.IsNote).Select(e => transaction.IndexOf(e));
    }

    private int Queries() => _homeserver.Calls.Count(call => call.Line == StubHomeserver.AliasesLine(_joined));

    private static string Message(string room) => Some.Message(room);

    private string Member(string membership) => Event(_joined, "m.room.member", Us, $$"""{"membership":"{{membership}}"}""");

    private static string Event(string room, string type, string stateKey, string content) =>
        $$"""{"type":"{{type}}","state_key":"{{stateKey}}","content":{{content}},"sender":"{{Us}}","room_id":"{{room}}","""
        + $$"""
            "event_id":"{{Some.EventId()}}"}
            """;
}
