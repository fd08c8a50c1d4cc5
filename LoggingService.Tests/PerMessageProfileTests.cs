using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class PerMessageProfileTests
{
    [Theory]
    [InlineData(
        """{"msgtype":"m.text","body":"hello","com.beeper.per_message_profile":{"id":"c","displayname":"Carol"}}""",
        "<@bob:x, as \"Carol\"> hello")]
    [InlineData(
        """{"msgtype":"m.text","body":"hello","m.per_message_profile":{"id":"c","displayname":"@alice:x, edit of 19:20:11> \"x"}}""",
        "<@bob:x, as \"@alice:x, edit of 19:20:11> \\\"x\"> hello")]
    [InlineData(
        """{"msgtype":"m.text","body":"Carol: hello","com.beeper.per_message_profile":{"id":"c","displayname":"Carol","has_fallback":"""
            + """true}}""",
        "<@bob:x, as \"Carol\"> hello")]
    [InlineData(
        """{"msgtype":"m.text","body":"Carol: hello","com.beeper.per_message_profile":{"id":"c","displayname":"Carol"}}""",
        "<@bob:x, as \"Carol\"> Carol: hello")]
    [InlineData("""{"msgtype":"m.text","body":"hello","com.beeper.per_message_profile":{"id":"c","displayname":""}}""", "<@bob:x> hello")]
    [InlineData(
        """{"msgtype":"m.notice","body":"hello","com.beeper.per_message_profile":{"id":"c","displayname":"Carol"}}""",
        "-@bob:x, as \"Carol\"- hello")]
    [InlineData(
        """{"msgtype":"m.text","body":"hello","com.beeper.per_message_profile":{"displayname":"Carol"},"m.relates_to":{"m.in_reply_to":"""
            + """{"event_id":"$e"}}}""",
        "<@bob:x, as \"Carol\", to $e> hello")]
    [InlineData(
        """{"msgtype":"m.text","body":"* x","m.new_content":{"msgtype":"m.text","body":"x","com.beeper.per_message_profile":"""
            + """{"displayname":"Carol"}},"m.relates_to":{"rel_type":"m.replace","event_id":"$e"}}""",
        "<@bob:x, as \"Carol\", edit of $e> x")]
    [InlineData(
        """{"msgtype":"m.text","body":"x","com.beeper.per_message_profile":{"displayname":5}}""",
        "*** @bob:x m.room.message {\"msgtype\":\"m.text\",\"body\":\"x\",\"com.beeper.per_message_profile\":{\"displayname\":5}}")]
    public void A_per_message_name_follows_the_sender(string content, string line) =>
        Assert.Equal(line, LineOf.Bobs("m.room.message", content));

    [Fact]
    public void A_sticker_can_have_a_per_message_name() =>
        Assert.Equal(
            "<@bob:x, as \"Carol\", sticker \"cat\">",
            LineOf.Bobs("m.sticker", """{"body":"cat","com.beeper.per_message_profile":{"displayname":"Carol"}}"""));

    [Fact]
    public void A_reply_quotes_the_text_without_the_per_message_name() =>
        Assert.Equal(
            "<@bob:x, to @alice:x 19:20:11 \"hello\"> hi",
            LineOf.Bobs(
                "m.room.message",
                """{"msgtype":"m.text","body":"hi","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""",
                LineOf.Event(
                    "@alice:x", "m.room.message",
                    """{"msgtype":"m.text","body":"Carol: hello","com.beeper.per_message_profile":{"displayname":"Carol","has_fallback":"""
                        + """true}}""")));
}
