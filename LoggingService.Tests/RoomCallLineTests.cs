using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class RoomCallLineTests
{
    private const string Session =
        """{"application":"m.call","call_id":"","device_id":"D","focus_active":{},"foci_preferred":[],"expires":14400000}""";

    [Theory]
    [InlineData(Session, null, "joined the call")]
    [InlineData(Session, "{}", "joined the call")]
    [InlineData(Session, Session, "is in the call")]
    [InlineData("{}", Session, "left the call")]
    [InlineData("{}", null, "left the call")]
    [InlineData("""{"leave_reason":"LOST_CONNECTION"}""", Session, "left the call: \"LOST_CONNECTION\"")]
    [InlineData("""{"memberships":[{"application":"m.call"}]}""", """{"memberships":[]}""", "joined the call")]
    [InlineData("""{"memberships":[]}""", null, "left the call")]
    [InlineData("""{"memberships":null,"application":"m.call"}""", null, "joined the call")]
    public void Joining_and_leaving_a_group_call_has_a_sentence(string content, string? previous, string line)
    {
        Assert.Equal($"*** @bob:x {line}", LineOf.BobsState("org.matrix.msc3401.call.member", content, previous));
        Assert.Equal($"*** @bob:x {line}", LineOf.BobsState("m.call.member", content, previous));
    }

    [Theory]
    [InlineData("_@bob:x_DEVICE", "*** @bob:x left the call")]
    [InlineData("@bob:x_DEVICE_m.call", "*** @bob:x left the call")]
    [InlineData("@bob:xyz", "*** @bob:x m.call.member [\"@bob:xyz\"] {}")]
    [InlineData("_@alice:x_DEVICE", "*** @bob:x m.call.member [\"_@alice:x_DEVICE\"] {}")]
    public void A_call_membership_belongs_to_the_user_in_its_state_key(string key, string line) =>
        Assert.Equal(line, LineOf.After(LineOf.Event("@bob:x", "m.call.member", "{}", $"\"state_key\":\"{key}\"")));

    [Theory]
    [InlineData("""{"application":{"type":"m.call"},"slot_id":"m.call#","sticky_key":"s","member":{"id":"m"}}""", "joined the call")]
    [InlineData("""{"slot_id":"m.call#","sticky_key":"s"}""", "left the call")]
    [InlineData("""{"sticky_key":"s","disconnect_reason":"bye"}""", "left the call: \"bye\"")]
    public void A_call_membership_that_is_no_state_event_has_a_sentence(string content, string line)
    {
        Assert.Equal($"*** @bob:x {line}", LineOf.Bobs("m.rtc.member", content));
        Assert.Equal($"*** @bob:x {line}", LineOf.Bobs("org.matrix.msc4143.rtc.member", content));
    }

    [Theory]
    [InlineData("sticky_key")]
    [InlineData("msc4354_sticky_key")]
    public void A_sticky_membership_is_compared_with_the_last_of_its_key_and_sender(string name)
    {
        var joined = Sticky("$1", "@bob:x", $$$"""{"application":{"type":"m.call"},"{{{name}}}":"s"}""");
        var left = Sticky("$2", "@bob:x", $$"""{"{{name}}":"s"}""");
        Assert.Equal("*** @bob:x joined the call", LineOf.After(joined));
        Assert.Equal("*** @bob:x is still in the call", LineOf.After(joined, Sticky("$0", "@bob:x", joined.Content)));
        Assert.Equal("*** @bob:x left the call", LineOf.After(left, joined));
        Assert.Equal("*** @bob:x left the call again (nothing changed)", LineOf.After(Sticky("$3", "@bob:x", left.Content), joined, left));
        Assert.Equal("*** @bob:x joined the call", LineOf.After(Sticky("$3", "@bob:x", joined.Content), joined, left));
        Assert.Equal("*** @bob:x joined the call", LineOf.After(joined, Sticky("$0", "@alice:x", joined.Content)));
        var otherKey = Sticky("$0", "@bob:x", $$$"""{"application":{"type":"m.call"},"{{{name}}}":"t"}""");
        Assert.Equal("*** @bob:x joined the call", LineOf.After(joined, otherKey));
        Assert.Equal(
            "*** @bob:x joined the call",
            LineOf.After(joined, Sticky("$0", "@bob:x", joined.Content, ",\"msc4354_sticky\":{\"duration_ms\":999}", at: 1795461610000)));
        Assert.Equal(
            "*** @bob:x is still in the call",
            LineOf.After(joined, Sticky("$0", "@bob:x", joined.Content, ",\"sticky\":{\"duration_ms\":1000}", at: 1795461610000)));
    }

    [Theory]
    [InlineData("🖐️", "raised their hand in the call")]
    [InlineData("✋🏽", "raised their hand in the call")]
    [InlineData("🎉", "reacted \"🎉\" in the call")]
    public void A_reaction_to_a_membership_is_one_in_the_call(string key, string line)
    {
        var reaction = $$$"""{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"{{{key}}}"}}""";
        foreach (var (type, more) in new[]
        {
            ("org.matrix.msc3401.call.member", "\"state_key\":\"_@alice:x_D\""), ("m.call.member", "\"state_key\":\"_@alice:x_D\""),
            ("org.matrix.msc4143.rtc.member", "\"a\":1"), ("m.rtc.member", "\"a\":1"),
        })
        {
            Assert.Equal($"*** @bob:x {line}", LineOf.Bobs("m.reaction", reaction, LineOf.Event("@alice:x", type, Session, more)));
        }
    }

    [Fact]
    public void A_hand_is_lowered_by_the_removal_of_the_reaction()
    {
        var member = LineOf.Event("@alice:x", "m.rtc.member", Session);
        var hand = LineOf.Event("@bob:x", "m.reaction", """{"m.relates_to":{"event_id":"$theirs","key":"🖐️"}}""");
        const string Redaction = """{"redacts":"$bobs"}""";
        Assert.Equal("*** @bob:x lowered their hand in the call", LineOf.Bobs("m.room.redaction", Redaction, member, hand));
        Assert.Equal(
            "*** @carol:x lowered the hand of @bob:x in the call",
            LineOf.After(LineOf.Event("@carol:x", "m.room.redaction", Redaction), member, hand));
    }

    [Theory]
    [InlineData(
        "io.element.call.reaction", """{"emoji":"🎉","name":"party","m.relates_to":{"rel_type":"m.reference"}}""",
        "reacted \"🎉\" in the call")]
    [InlineData("m.call.reaction", """{"emoji":"🎉"}""", "reacted \"🎉\" in the call")]
    [InlineData("m.call.reaction", """{"emoji":5}""", "m.call.reaction {\"emoji\":5}")]
    [InlineData(
        "io.element.call.encryption_keys", """{"keys":[{"index":0,"key":"c2VjcmV0"}]}""", "sent their encryption keys for the call")]
    [InlineData("m.call.encryption_keys", """["c2VjcmV0"]""", "sent their encryption keys for the call")]
    public void Reactions_and_keys_of_a_call_have_sentences(string type, string content, string line) =>
        Assert.Equal($"*** @bob:x {line}", LineOf.Bobs(type, content));

    [Theory]
    [InlineData(
        "org.matrix.msc4075.rtc.notification", """{"notification_type":"ring","lifetime":30000,"m.mentions":{"room":true}}""",
        "rang the room")]
    [InlineData("m.rtc.notification", """{"notification_type":"notification"}""", "told the room about a call")]
    [InlineData("org.matrix.msc4075.call.notify", """{"application":"m.call","call_id":"","notify_type":"ring"}""", "rang the room")]
    [InlineData("m.call.notify", """{"application":"m.call","call_id":"","notify_type":"notify"}""", "told the room about a call")]
    [InlineData("org.matrix.msc4310.rtc.decline", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$e"}}""", "declined the call")]
    [InlineData("m.rtc.decline", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$e"}}""", "declined the call")]
    public void Ringing_and_declining_have_sentences(string type, string content, string line) =>
        Assert.Equal($"*** @bob:x {line}", LineOf.Bobs(type, content));

    [Theory]
    [InlineData(
        "org.matrix.msc3401.call", """{"m.intent":"m.room","m.type":"m.video","m.name":"stand-up"}""",
        "opened a video call for the room: \"stand-up\"")]
    [InlineData("m.call", """{"m.intent":"m.ring","m.type":"m.voice"}""", "opened a voice call for the room")]
    [InlineData("m.call", """{"m.type":"m.voice","m.terminated":"call_ended"}""", "ended a voice call for the room")]
    [InlineData("m.rtc.slot", """{"application":{"type":"m.call"}}""", "opened the room to calls")]
    [InlineData("org.matrix.msc4143.rtc.slot", "{}", "closed the room to calls")]
    public void Opening_and_closing_a_group_call_has_a_sentence(string type, string content, string line) =>
        Assert.Equal($"*** @bob:x {line}", LineOf.BobsState(type, content));

    [Theory]
    [InlineData("m.call.member", """{"application":5}""")]
    [InlineData("m.call.member", """{"memberships":{}}""")]
    [InlineData("m.call.member", """{"memberships":[1]}""")]
    [InlineData("m.call.member", """{"leave_reason":1}""")]
    [InlineData("m.call.member", """{"something":"else"}""")]
    [InlineData("m.call.member", """{"leave_reason":null}""")]
    [InlineData("m.call.member", "[]")]
    [InlineData("m.call", """{"m.type":1}""")]
    [InlineData("m.call", "[]")]
    [InlineData("m.rtc.slot", """{"application":"x"}""")]
    [InlineData("m.rtc.slot", "5")]
    public void A_malformed_group_call_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal($"*** @bob:x {type} [\"@bob:x\"] {content}", LineOf.BobsState(type, content));

    [Theory]
    [InlineData("m.rtc.notification", """{"notification_type":1}""")]
    [InlineData("m.rtc.notification", """{"notification_type":"shout"}""")]
    [InlineData("m.rtc.decline", "[]")]
    [InlineData("m.rtc.decline", """{"m.relates_to":1}""")]
    public void A_malformed_notification_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal($"*** @bob:x {type} {content}", LineOf.Bobs(type, content));

    private static RoomEvent Sticky(string id, string sender, RawJson content, string more = "", long at = 1795461611000) =>
        Sticky(id, sender, content.ToCompactText().ToString(), more, at);

    private static RoomEvent Sticky(string id, string sender, string content, string more = "", long at = 1795461611000) => LineOf.Event(
        $"{{\"event_id\":\"{id}\",\"room_id\":\"!r:x\",\"type\":\"m.rtc.member\",\"sender\":\"{sender}\",\"origin_server_ts\":{at},"
        + $"\"content\":{content}{more}}}");

    [Fact]
    public void A_redacted_call_membership_is_not_rendered_as_leaving() =>
        Assert.Equal(
            "*** @bob:x changed m.call.member [\"@bob:x\"], removed before it was logged",
            LineOf.After(LineOf.Event("@bob:x", "m.call.member", "{}", "\"state_key\":\"@bob:x\",\"unsigned\":{\"redacted_because\":{}}")));
}
