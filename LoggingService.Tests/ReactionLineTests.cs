using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class ReactionLineTests
{
    [Theory]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":"hello"}""", "\"hello\"")]
    [InlineData("m.room.message", """{"msgtype":"m.image","body":"cat.png"}""", "image \"cat.png\"")]
    [InlineData("m.room.message", """{"msgtype":"m.image","body":"my cat","filename":"cat.png"}""", "image \"my cat\"")]
    [InlineData("m.room.message", """{"msgtype":"m.file","body":"a.pdf"}""", "file \"a.pdf\"")]
    [InlineData("m.room.message", """{"msgtype":"m.audio","body":"a.ogg"}""", "audio \"a.ogg\"")]
    [InlineData("m.room.message", """{"msgtype":"m.audio","body":"a.ogg","org.matrix.msc3245.voice":{}}""", "voice message \"a.ogg\"")]
    [InlineData("m.room.message", """{"msgtype":"m.video","body":"a.mp4"}""", "video \"a.mp4\"")]
    [InlineData("m.room.message", """{"msgtype":"m.location","body":"Malmö"}""", "location \"Malmö\"")]
    [InlineData("m.sticker", """{"body":"Party parrot"}""", "sticker \"Party parrot\"")]
    [InlineData("m.poll.start", """{"m.poll":{"question":{"m.text":[{"body":"Soup?"}]}}}""", "poll \"Soup?\"")]
    [InlineData("m.poll.end", """{"m.text":[{"body":"soup won"}]}""", "poll result \"soup won\"")]
    [InlineData("m.message", """{"m.text":[{"body":"hello"}]}""", "\"hello\"")]
    [InlineData("m.reaction", """{"m.relates_to":{"key":"👍"}}""", "reaction \"👍\"")]
    [InlineData(
        "m.room.message",
        """{"msgtype":"m.text","body":"* b","m.new_content":{"body":"b"},"m.relates_to":{"rel_type":"m.replace","event_id":"$e"}}""",
        "\"b\"")]
    [InlineData(
        "m.room.message", """{"msgtype":"m.text","body":"* b","m.new_content":{"body":"b"},"m.relates_to":{"rel_type":"m.replace"}}""",
        "\"* b\"")]
    public void A_reaction_shows_sender_time_and_excerpt_of_its_target(string type, string content, string target) =>
        Assert.Equal($"*** @bob:x reacted \"👍\" to @alice:x 19:20:11 {target}", To(LineOf.Event("@alice:x", type, content)));

    [Theory]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":""}""", "message")]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":5}""", "message")]
    [InlineData("m.room.message", "{}", "message")]
    [InlineData("m.room.message", "[]", "message")]
    [InlineData("m.room.message", """{"msgtype":"m.image","body":" "}""", "image")]
    [InlineData("m.room.encrypted", """{"ciphertext":"x"}""", "encrypted message")]
    [InlineData("m.beacon", """{"org.matrix.msc3488.location":{}}""", "live location")]
    [InlineData("m.call.invite", """{"call_id":"1"}""", "call invitation")]
    [InlineData("com.example.thing", "{}", "event com.example.thing")]
    [InlineData("fake \\\"hello\\\"", "{}", "event \"fake \\\"hello\\\"\"")]
    public void A_reaction_to_an_event_without_text_shows_its_sender_and_time(string type, string content, string target) =>
        Assert.Equal($"*** @bob:x reacted \"👍\" to the {target} of @alice:x 19:20:11", To(LineOf.Event("@alice:x", type, content)));

    [Fact]
    public void A_reaction_to_a_state_event_shows_its_type() =>
        Assert.Equal(
            "*** @bob:x reacted \"👍\" to the state m.room.topic [\"\"] of @alice:x 19:20:11",
            To(LineOf.Event("@alice:x", "m.room.topic", """{"topic":"t"}""", "\"state_key\":\"\"")));

    [Fact]
    public void A_reaction_to_an_unknown_event_shows_its_id() => Assert.Equal("*** @bob:x reacted \"👍\" to $theirs", To());

    [Fact]
    public void A_reaction_to_a_long_message_shows_its_first_40_characters() =>
        Assert.Equal(
            $"*** @bob:x reacted \"👍\" to @alice:x 19:20:11 \"{new string('x', 40)}…\"",
            To(LineOf.Event("@alice:x", "m.room.message", $$"""{"msgtype":"m.text","body":"{{new string('x', 41)}}"}""")));

    [Theory]
    [InlineData("\"👍️\"", "", "\"👍️\"")]
    [InlineData("\"no \\\"way\\\"\"", "", "\"no \\\"way\\\"\"")]
    [InlineData("\"mxc://x/a\"", ",\"shortcode\":\":party:\"", "\":party:\" (mxc://x/a)")]
    [InlineData("\"mxc://x/a\"", ",\"com.beeper.reaction.shortcode\":\"party\"", "\"party\" (mxc://x/a)")]
    [InlineData("\"mxc://x/a) to\"", ",\"shortcode\":\"b\"", "\"b\" (mxc://x/a)%20to)")]
    [InlineData("\"mxc://x/a\"", "", "\"mxc://x/a\"")]
    [InlineData("\"👍\"", ",\"shortcode\":\"not a picture\"", "\"👍\"")]
    public void A_reaction_shows_its_emoji_text_or_shortcode(string key, string more, string shown) =>
        Assert.Equal(
            $"*** @bob:x reacted {shown} to $e",
            LineOf.Bobs("m.reaction", $$$"""{"m.relates_to":{"rel_type":"m.annotation","event_id":"$e","key":{{{key}}}}{{{more}}}}"""));

    [Fact]
    public void A_long_reaction_is_truncated() =>
        Assert.Equal(
            $"*** @bob:x reacted \"{new string('x', 40)}…\" to $e",
            LineOf.Bobs(
                "m.reaction", $$$"""{"m.relates_to":{"rel_type":"m.annotation","event_id":"$e","key":"{{{new string('x', 9000)}}}"}}"""));

    [Theory]
    [InlineData("""{"m.relates_to":{"rel_type":"m.annotation","event_id":"$e","key":1}}""")]
    [InlineData("""{"m.relates_to":{"rel_type":"m.annotation","event_id":"$e"}}""")]
    [InlineData("""{"m.relates_to":{"rel_type":"m.annotation","key":"👍"}}""")]
    [InlineData("""{"m.relates_to":{"rel_type":"m.thread","event_id":"$e","key":"👍"}}""")]
    [InlineData("""{"m.relates_to":{"rel_type":"m.annotation","event_id":"$e","key":"mxc://x/a"},"shortcode":[]}""")]
    [InlineData("""{"m.relates_to":[]}""")]
    [InlineData("[]")]
    public void A_malformed_reaction_is_rendered_by_the_fallback(string content) =>
        Assert.Equal($"*** @bob:x m.reaction {content}", LineOf.Bobs("m.reaction", content));

    private static string To(params RoomEvent[] target) =>
        LineOf.Bobs("m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"👍"}}""", target);
}
