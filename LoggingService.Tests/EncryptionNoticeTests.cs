using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>When encryption is switched on, the log, the service's own log and the members are told what it means.</summary>
public class EncryptionNoticeTests
{
    private const string Note = "*** logging has ended in effect: messages are encrypted from here on";
    private readonly string _room = Some.RoomId();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Encryption_is_a_note_a_warning_and_where_our_user_is_a_member_a_notice_to_the_room(bool isMember)
    {
        if (isMember)
        {
            _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
                .AliasesOf(_room, "#logged_tea:localhost")
                .On("PUT /_matrix/client/v3/rooms/*", """{"event_id":"$notice"}""");
        }

        using var service = new ServiceUnderTest(homeserver: _homeserver);
        var encryption = Encryption();
        await PushAsync(service, Some.Message(_room, "before"), encryption, Some.Message(_room, "after"));
        Assert.Equal(Note, service.Lines(_room)[2]);
        Assert.Equal(4, service.Lines(_room).Count);
        await Wait.UntilAsync(
            () => service.WarningsAndErrors.Any(line => line.StartsWith("Encryption was switched on in ", StringComparison.Ordinal)),
            "a warning");

        // A resend is no second note, and the settings of encryption are no switch.
        await PushAsync(service, encryption, Encryption("""{"prev_content":{"algorithm":"m.megolm.v1.aes-sha2"}}"""));
        Assert.Single(service.Lines(_room), Note);
        if (isMember)
        {
            await Wait.UntilAsync(() => Notices().Count == 1, "the notice");
            var sent = JsonElement.Parse(Notices()[0].Body);
            Assert.Equal("m.notice", sent.GetProperty("msgtype").GetString());
            Assert.StartsWith("Encryption was switched on in this room.", sent.GetProperty("body").GetString(), StringComparison.Ordinal);
            Assert.Contains("/send/m.room.message/encryption.enabled-", Notices()[0].Line, StringComparison.Ordinal);
        }
        else
        {
            Assert.Empty(Notices());
        }
    }

    [Fact]
    public async Task An_event_that_the_homeserver_did_not_apply_is_no_encryption()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Encryption("""{"io.element.synapse.soft_failed":true}"""));
        Assert.DoesNotContain(Note, service.Lines(_room));
    }

    [Fact]
    public async Task A_room_that_refuses_the_notice_is_logged_as_before()
    {
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
            .AliasesOf(_room, "#logged_tea:localhost")
            .On("PUT /_matrix/client/v3/rooms/*", 403, """{"errcode":"M_FORBIDDEN","error":"muted"}""");
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Encryption());
        await Wait.UntilAsync(() => Notices().Count == 1, "the notice");
        await PushAsync(service, Some.Message(_room, "after"));
        Assert.Equal("<@alice:localhost> after", service.Lines(_room)[^1]);
    }

    private List<StubHomeserver.Request> Notices() =>
        [.. _homeserver.Calls.Where(call => call.Line.StartsWith("PUT ", StringComparison.Ordinal))];

    private string Encryption(string unsigned = "{}")
    {
        var state = Some.State(_room, "m.room.encryption", """{"algorithm":"m.megolm.v1.aes-sha2"}""").TrimEnd()[..^1];
        return $"{state},\"unsigned\":{unsigned}}}";
    }

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));
}
