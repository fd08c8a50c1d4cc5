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
    public void A_removal_names_what_was_removed(string type, string content, string what)
    {
        var target = LineOf.Event("@alice:x", type, content);
        Assert.Equal($"*** @bob:x removed the {what} of @alice:x 19:20:11: \"spam\"", LineOf.Bobs("m.room.redaction", """{"redacts":"$theirs","reason":"spam"}""", target));
        Assert.Equal($"*** @bob:x removed the {what} of @alice:x 19:20:11", LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", "{}", "\"redacts\":\"$theirs\""), target));
    }

    [Fact]
    public void A_removal_of_state_names_its_type_and_key() =>
        Assert.Equal(
            "*** @bob:x removed the state m.room.topic [\"\"] of @alice:x 19:20:11",
            LineOf.Bobs("m.room.redaction", """{"redacts":"$theirs"}""", LineOf.Event("@alice:x", "m.room.topic", """{"topic":"t"}""", "\"state_key\":\"\"")));

    [Fact]
    public void The_content_says_what_is_removed_before_the_old_place_does() =>
        Assert.Equal("*** @bob:x removed the event $new", LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", """{"redacts":"$new"}""", "\"redacts\":\"$old\"")));

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
    public void What_arrives_removed_says_so(string type, string what)
    {
        Assert.Equal($"<@bob:x, {what}removed before it was logged>", LineOf.After(LineOf.Event("@bob:x", type, "{}", "\"unsigned\":{\"redacted_because\":{}}")));
        Assert.Equal($"<@bob:x, {what}removed before it was logged>", LineOf.After(LineOf.Event("@bob:x", type, "{}", "\"unsigned\":{\"redacted_by\":\"$r\"}")));
    }

    [Theory]
    [InlineData("m.room.message", "<@bob:x, removed before it was logged>")]
    [InlineData("m.reaction", "<@bob:x, reaction, removed before it was logged>")]
    [InlineData("com.example.thing", "*** @bob:x com.example.thing {}")]
    public void Nothing_at_all_is_what_is_left_of_a_message_but_may_be_all_of_an_unknown_kind(string type, string line) =>
        Assert.Equal(line, LineOf.Bobs(type, "{}"));

    [Fact]
    public void A_removed_redaction_tells_what_is_still_known()
    {
        const string Removed = "\"unsigned\":{\"redacted_because\":{}}";
        Assert.Equal("*** @bob:x removed the event $e", LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", """{"redacts":"$e"}""", Removed)));
        Assert.Equal("<@bob:x, redaction, removed before it was logged>", LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", "{}", Removed)));
    }

    [Theory]
    [InlineData("ban", "join", "true", "@carol:x was kicked and banned by @bob:x, who removed their messages too: \"spam\"")]
    [InlineData("leave", "join", "true", "@carol:x was kicked by @bob:x, who removed their messages too: \"spam\"")]
    [InlineData("ban", "join", "false", "@carol:x was kicked and banned by @bob:x: \"spam\"")]
    [InlineData("leave", "ban", "true", "@carol:x was unbanned by @bob:x: \"spam\"")]
    [InlineData("invite", "leave", "true", "@carol:x was invited by @bob:x: \"spam\"")]
    public void A_ban_that_removes_everything_the_banned_said_tells_it(string membership, string before, string removes, string line) =>
        Assert.Equal(
            $"*** {line}",
            LineOf.After(LineOf.Event(
                "@bob:x",
                "m.room.member",
                $$"""{"membership":"{{membership}}","reason":"spam","org.matrix.msc4293.redact_events":{{removes}}}""",
                $$$"""
                "state_key":"@carol:x","unsigned":{"prev_content":{"membership":"{{{before}}}"}}
                """)));

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"redacts":5}""")]
    [InlineData("""{"redacts":"$e","reason":5}""")]
    public void A_removal_of_another_shape_is_shown_as_it_is(string content) =>
        Assert.Equal($"*** @bob:x m.room.redaction {content}", LineOf.After(LineOf.Event("@bob:x", "m.room.redaction", content, "\"redacts\":\"$e\"")));
}
