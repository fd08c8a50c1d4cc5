using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class RemovalLineTests
{
    [Theory]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":"x"}""", "message")]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":"* x","m.relates_to":{"rel_type":"m.replace","event_id":"$e"}}""", "edit")]
    [InlineData("m.room.message", """{"msgtype":"m.image","body":"x"}""", "image")]
    [InlineData("m.room.message", """{"msgtype":"m.audio","body":"x","org.matrix.msc3245.voice":{}}""", "voice message")]
    [InlineData("m.room.message", """{"msgtype":"m.key.verification.request","body":"x"}""", "verification request")]
    [InlineData("m.message", """{"m.text":[]}""", "message")]
    [InlineData("m.emote", """{"m.text":[]}""", "message")]
    [InlineData("m.video", """{"m.text":[]}""", "video")]
    [InlineData("m.room.encrypted", """{"ciphertext":"x"}""", "encrypted message")]
    [InlineData("m.sticker", """{"body":"x"}""", "sticker")]
    [InlineData("m.reaction", """{"m.relates_to":{}}""", "reaction")]
    [InlineData("m.poll.start", """{"m.poll":{}}""", "poll")]
    [InlineData("m.poll.start", """{"m.relates_to":{"rel_type":"m.replace"}}""", "edit")]
    [InlineData("org.matrix.msc3381.poll.response", """{"x":1}""", "vote")]
    [InlineData("m.poll.end", """{"m.text":[]}""", "poll result")]
    [InlineData("m.beacon", """{"x":1}""", "live location")]
    [InlineData("m.call.invite", """{"x":1}""", "call invitation")]
    [InlineData("m.room.redaction", """{"redacts":"$e"}""", "redaction")]
    [InlineData("com.example.thing", """{"x":1}""", "event com.example.thing")]
    [InlineData("message", """{"x":1}""", "event \"message\"")]
    public void A_redaction_names_the_kind_of_its_target(string type, string content, string what)
    {
        var target = LineOf.Event("@alice:x", type, content);
        Assert.Equal(
            $"*** @bob:x removed the {what} of @alice:x 19:20:11: \"spam\"",
            LineOf.Bobs("m.room.redaction", """{"redacts":"$theirs","reason":"spam"}""", target));
        Assert.Equal(
            $"*** @bob:x removed the {what} of @alice:x 19:20:11",
            LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", "{}", "\"redacts\":\"$theirs\""), target));
    }

    [Fact]
    public void A_redaction_of_a_state_event_shows_type_and_key() =>
        Assert.Equal(
            "*** @bob:x removed the state m.room.topic [\"\"] of @alice:x 19:20:11",
            LineOf.Bobs(
                "m.room.redaction", """{"redacts":"$theirs"}""",
                LineOf.Event("@alice:x", "m.room.topic", """{"topic":"t"}""", "\"state_key\":\"\"")));

    [Theory]
    [InlineData("\"origin_server_ts\":1795375211000", "2026-11-22 19:20:11")]
    [InlineData("\"received_ts\":1795461611000", "19:20:11")]
    public void A_redaction_shows_the_time_of_its_target_with_another_days_date(string sent, string time) =>
        Assert.Equal(
            $"*** @bob:x removed the reaction of @alice:x {time}",
            LineOf.Bobs(
                "m.room.redaction",
                """{"redacts":"$theirs"}""",
                LineOf.Event($$"""
                    {"event_id":"$theirs","room_id":"!r:x","type":"m.reaction","sender":"@alice:x",{{sent}},"content":{} }
                    """)));

    [Fact]
    public void A_redaction_of_an_unknown_event_shows_its_id_and_one_without_target_is_rendered_by_the_fallback()
    {
        Assert.Equal("*** @bob:x removed the event $e: \"r\"", LineOf.Bobs("m.room.redaction", """{"redacts":"$e","reason":"r"}"""));
        Assert.Equal("*** @bob:x m.room.redaction {\"reason\":\"r\"}", LineOf.Bobs("m.room.redaction", """{"reason":"r"}"""));
    }

    [Theory]
    [InlineData("\"redacts\":\"$true\"", "$true")]
    [InlineData("\"redacts\":\"\"", "$forged")]
    [InlineData("\"redacts\":null", "$forged")]
    public void The_target_in_content_counts_only_where_the_event_has_none(string more, string target) =>
        Assert.Equal(
            $"*** @bob:x removed the event {target}",
            LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", """{"redacts":"$forged"}""", more)));

    [Theory]
    [InlineData("👍", "removed the reaction \"👍\" of @alice:x 19:20:11 to @bob:x 19:20:11 \"hello\"")]
    [InlineData("1️⃣", "removed the reaction \"1️⃣\" of @alice:x 19:20:11 to @bob:x 19:20:11 \"hello\"")]
    [InlineData("my secret", "removed the reaction of @alice:x 19:20:11 to @bob:x 19:20:11 \"hello\"")]
    [InlineData("5551234", "removed the reaction of @alice:x 19:20:11 to @bob:x 19:20:11 \"hello\"")]
    [InlineData("mxc://x/a", "removed the reaction of @alice:x 19:20:11 to @bob:x 19:20:11 \"hello\"")]
    public void The_removal_of_a_reaction_shows_its_emoji_and_what_it_was_to(string key, string line) =>
        Assert.Equal(
            $"*** @bob:x {line}",
            LineOf.Bobs(
                "m.room.redaction", """{"redacts":"$theirs"}""",
                LineOf.Event("@bob:x", "m.room.message", """{"msgtype":"m.text","body":"hello"}"""),
                LineOf.Event("@alice:x", "m.reaction", $$$"""{"m.relates_to":{"event_id":"$bobs","key":"{{{key}}}"}}""")));

    [Theory]
    [InlineData("m.room.message", "19:20:11 $a")]
    [InlineData("m.reaction", "19:20:11")]
    public void A_target_that_another_event_of_its_kind_sender_and_second_could_be_is_named_by_its_id(string type, string what)
    {
        RoomEvent[] before = [WithId("$a", "m.room.message"), WithId("$b", type)];
        Assert.Equal($"*** @bob:x removed the message of @alice:x {what}", LineOf.Bobs("m.room.redaction", """{"redacts":"$a"}""", before));

        static RoomEvent WithId(string id, string type) => LineOf.Event($$"""
            {
                "event_id":"{{id}}","room_id":"!r:x","type":"{{type}}","sender":"@alice:x","origin_server_ts":1795461611000,
                "content":{"body":"x"}
            }
            """);
    }

    [Theory]
    [InlineData("m.room.message", "")]
    [InlineData("m.room.encrypted", "encrypted message, ")]
    [InlineData("m.sticker", "sticker, ")]
    [InlineData("m.reaction", "reaction, ")]
    [InlineData("m.poll.start", "poll, ")]
    [InlineData("org.matrix.msc3381.poll.response", "vote, ")]
    [InlineData("m.poll.end", "poll result, ")]
    [InlineData("m.beacon", "live location, ")]
    [InlineData("m.call.invite", "call invitation, ")]
    [InlineData("m.image", "image, ")]
    [InlineData("m.call.hangup", "m.call.hangup, ")]
    [InlineData("m.key.verification.cancel", "m.key.verification.cancel, ")]
    [InlineData("com.example.thing", "com.example.thing, ")]
    [InlineData("fake> x", "\"fake> x\", ")]
    public void An_event_that_arrives_redacted_is_marked(string type, string what)
    {
        Assert.Equal(
            $"<@bob:x, {what}removed before it was logged>",
            LineOf.After(LineOf.Event("@bob:x", type, "{}", "\"unsigned\":{\"redacted_because\":{}}")));
        Assert.Equal(
            $"<@bob:x, {what}removed before it was logged>",
            LineOf.After(LineOf.Event("@bob:x", type, "{}", "\"unsigned\":{\"redacted_by\":\"$r\"}")));
    }

    [Theory]
    [InlineData("m.room.message")]
    [InlineData("m.sticker")]
    [InlineData("m.reaction")]
    [InlineData("m.poll.start")]
    [InlineData("m.beacon")]
    [InlineData("m.call.invite")]
    [InlineData("m.image")]
    [InlineData("com.example.thing")]
    public void An_event_sent_without_content_cannot_imitate_a_redacted_one(string type) =>
        Assert.Equal($"*** @bob:x {type} {{}}", LineOf.Bobs(type, "{}"));

    [Fact]
    public void A_redacted_redaction_shows_its_target_if_known()
    {
        const string Removed = "\"unsigned\":{\"redacted_because\":{}}";
        Assert.Equal(
            "*** @bob:x removed the event $e", LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", """{"redacts":"$e"}""", Removed)));
        Assert.Equal(
            "<@bob:x, redaction, removed before it was logged>", LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", "{}", Removed)));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"redacts":"$e","reason":{}}""")]
    public void A_malformed_redaction_is_rendered_by_the_fallback(string content) =>
        Assert.Equal(
            $"*** @bob:x m.room.redaction {content}",
            LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", content, "\"redacts\":\"$e\"")));

    [Theory]
    [InlineData("m.room.message", "")]
    [InlineData("m.reaction", "reaction, ")]
    [InlineData("com.example.thing", "com.example.thing, ")]
    [InlineData("m.room.redaction", "redaction, ")]
    public void A_removed_event_shows_what_the_homeserver_says_about_it(string type, string what)
    {
        const string Removed = "\"unsigned\":{\"redacted_because\":{},\"io.element.synapse.soft_failed\":true}";
        Assert.Equal(
            $"<@bob:x, soft-failed, {what}removed before it was logged>", LineOf.After(LineOf.Event("@bob:x", type, "{}", Removed)));
    }

    [Theory]
    [InlineData("m.room.encrypted", """{"m.relates_to":5}""", "<@bob:x, marked as spam, encrypted: cannot be logged>")]
    [InlineData("m.room.redaction", """{"redacts":"$e"}""", "*** (marked as spam) @bob:x removed the event $e")]
    [InlineData("m.room.message", "5", "*** (marked as spam) @bob:x m.room.message 5")]
    public void So_do_malformed_events_and_removals(string type, string content, string line) =>
        Assert.Equal(
            line,
            LineOf.After(
                LineOf.Event("@bob:x", type, content, "\"unsigned\":{\"io.element.synapse.policy_server_spammy\":true}")));
}
