using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class ReplyLineTests
{
    private static readonly RoomEvent Hello = LineOf.Event("@alice:x", "m.room.message", """{"msgtype":"m.text","body":"hello"}""");

    [Theory]
    [InlineData("m.room.message", """{"msgtype":"m.image","body":"my cat","filename":"cat.png"}""", "@alice:x 19:20:11 image \"my cat\"")]
    [InlineData("m.sticker", """{"body":"Party parrot"}""", "@alice:x 19:20:11 sticker \"Party parrot\"")]
    [InlineData("m.poll.start", """{"m.poll":{"question":{"m.text":[{"body":"Soup?"}]}}}""", "@alice:x 19:20:11 poll \"Soup?\"")]
    [InlineData("m.room.encrypted", "{}", "the encrypted message of @alice:x 19:20:11")]
    [InlineData("m.room.message", "{}", "the message of @alice:x 19:20:11")]
    public void A_reply_shows_sender_time_and_excerpt_of_its_target(string type, string content, string target) =>
        Assert.Equal($"<@bob:x, to {target}> nice", LineOf.Bobs("m.room.message", Reply("nice"), LineOf.Event("@alice:x", type, content)));

    [Theory]
    [InlineData("> <@alice:x> hello\\n> second line\\n\\nme too", "me too")]
    [InlineData("> <@alice:x> hello\\nme too", "me too")]
    [InlineData("> * <@alice:x> waves\\n\\nme too\\n> really", "me too␊> really")]
    [InlineData("> my own\\n\\nme too", "> my own␊␊me too")]
    [InlineData("> <@alice:x> hello\\r\\n> second line\\r\\n\\r\\nme too", "me too")]
    [InlineData("> <@alice:x> hello\\n>\\n> second line\\n\\nme too", "me too")]
    [InlineData("> <@alice:x> hello\\r\\n>\\r\\n\\r\\n\\r\\nme too", "␊me too")]
    [InlineData("> <Alice Smith> hello\\n\\nme too", "me too")]
    [InlineData("> * <Alice Smith> waves\\nme too", "me too")]
    [InlineData("> <@alice:x> hello\\n>_< me too", ">_< me too")]
    [InlineData("> <3 hello\\n\\nme too", "> <3 hello␊␊me too")]
    [InlineData("> <> hello\\n\\nme too", "> <> hello␊␊me too")]
    public void The_reply_fallback_is_removed_but_the_senders_own_quotation_is_kept(string body, string words) =>
        Assert.Equal($"<@bob:x, to @alice:x 19:20:11 \"hello\"> {words}", LineOf.Bobs("m.room.message", Reply(body), Hello));

    [Fact]
    public void A_quotation_outside_of_a_reply_is_kept() =>
        Assert.Equal(
            "<@bob:x> > <@alice:x> hello␊␊me too",
            LineOf.Bobs("m.room.message", """{"msgtype":"m.text","body":"> <@alice:x> hello\n\nme too"}"""));

    [Fact]
    public void A_reply_to_an_edit_quotes_the_new_text()
    {
        var original = LineOf.Event("@bob:x", "m.room.message", """{"msgtype":"m.text","body":"hello"}""");
        const string Edit =
            """{"msgtype":"m.text","body":"* never said","m.new_content":{"msgtype":"m.text","body":"new"},"m.relates_to":"""
                + """{"rel_type":"m.replace","event_id":"$bobs"}}""";
        var invalid = LineOf.Event("@alice:x", "m.room.message", Edit);
        Assert.Equal("<@alice:x, invalid edit of @bob:x 19:20:11> * never said", LineOf.After(invalid, original));
        Assert.Equal(
            "<@bob:x, to @alice:x 19:20:11 \"* never said\"> what?", LineOf.Bobs("m.room.message", Reply("what?"), original, invalid));
        Assert.Equal("<@bob:x, to @alice:x 19:20:11 \"new\"> what?", LineOf.Bobs("m.room.message", Reply("what?"), invalid));

        var valid = LineOf.Event("@alice:x", "m.room.message", Edit.Replace("$bobs", "$mine", StringComparison.Ordinal));
        var mine = LineOf.Event(
            """{"event_id":"$mine","room_id":"!r:x","type":"m.room.message","sender":"@alice:x","origin_server_ts":1795461611000"""
                + ""","content":{"msgtype":"m.text","body":"old"}}""");
        Assert.Equal("<@bob:x, to @alice:x 19:20:11 \"new\"> I see", LineOf.Bobs("m.room.message", Reply("I see"), mine, valid));
    }

    [Fact]
    public void A_reply_to_a_reply_quotes_its_own_text() =>
        Assert.Equal(
            "<@bob:x, to @alice:x 19:20:11 \"me too\"> same",
            LineOf.Bobs(
                "m.room.message", Reply("same"), LineOf.Event("@alice:x", "m.room.message", Reply("> <@bob:x> hello\\n\\nme too"))));

    [Fact]
    public void A_reply_to_a_message_of_another_day_shows_the_date() =>
        Assert.Equal(
            "<@bob:x, to @alice:x 2026-11-22 19:20:11 \"hello\"> late",
            LineOf.Bobs(
                "m.room.message", Reply("late"),
                LineOf.Event(
                    """{"event_id":"$theirs","room_id":"!r:x","type":"m.room.message","sender":"@alice:x","origin_server_ts":"""
                        + """1795375211000,"content":{"msgtype":"m.text","body":"hello"}}""")));

    [Fact]
    public void A_reply_to_an_unknown_event_shows_its_id() =>
        Assert.Equal("<@bob:x, to $theirs> me too", LineOf.Bobs("m.room.message", Reply("me too")));

    [Fact]
    public void An_image_and_a_sticker_can_be_replies()
    {
        Assert.Equal(
            "<@bob:x, to $theirs, image cat.png>",
            LineOf.Bobs("m.room.message", Reply("cat.png").Replace("m.text", "m.image", StringComparison.Ordinal)));
        Assert.Equal("<@bob:x, to $theirs, sticker \"cat\">", LineOf.Bobs("m.sticker", Reply("cat")));
    }

    [Theory]
    [InlineData("\"is_falling_back\":true,", "<@bob:x, in thread \"hello\"> pizza")]
    [InlineData("\"is_falling_back\":false,", "<@bob:x, in thread \"hello\", to @alice:x 19:20:11 \"hello\"> pizza")]
    [InlineData("", "<@bob:x, in thread \"hello\", to @alice:x 19:20:11 \"hello\"> pizza")]
    public void A_message_in_a_thread_shows_the_thread_and_a_genuine_reply(string more, string line) =>
        Assert.Equal(line, LineOf.Bobs("m.room.message", InThread($$"""{{more}}"m.in_reply_to":{"event_id":"$theirs"}"""), Hello));

    [Fact]
    public void A_thread_is_named_by_its_root()
    {
        const string More = "\"is_falling_back\":true";
        Assert.Equal(
            "<@bob:x, in thread image \"cat.png\"> pizza",
            LineOf.Bobs(
                "m.room.message", InThread(More),
                LineOf.Event("@alice:x", "m.room.message", """{"msgtype":"m.image","body":"cat.png"}""")));
        Assert.Equal(
            "<@bob:x, in the thread of @alice:x 19:20:11> pizza",
            LineOf.Bobs("m.room.message", InThread(More), LineOf.Event("@alice:x", "m.room.encrypted", "{}")));
        Assert.Equal("<@bob:x, in thread $theirs> pizza", LineOf.Bobs("m.room.message", InThread(More)));
    }

    [Fact]
    public void An_encrypted_message_shows_its_relation_but_never_its_ciphertext()
    {
        Assert.Equal(
            "<@bob:x, to @alice:x 19:20:11 \"hello\", encrypted: cannot be logged>",
            LineOf.Bobs("m.room.encrypted", """{"ciphertext":"x","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""", Hello));
        Assert.Equal(
            "<@bob:x, in thread \"hello\", encrypted: cannot be logged>",
            LineOf.Bobs("m.room.encrypted", """{"ciphertext":"x","m.relates_to":{"rel_type":"m.thread","event_id":"$theirs"}}""", Hello));
        Assert.Equal("<@bob:x, encrypted: cannot be logged>", LineOf.Bobs("m.room.encrypted", """{"ciphertext":"x","m.relates_to":5}"""));
        foreach (var other in new[] { "m.annotation", "m.reference", "com.example.other" })
            Assert.Equal(
                "<@bob:x, encrypted: cannot be logged>",
                LineOf.Bobs(
                    "m.room.encrypted",
                    """{"ciphertext":"x","m.relates_to":{"rel_type":"OTHER","event_id":"$theirs","key":"x"}}""".Replace(
                        "OTHER", other, StringComparison.Ordinal),
                    Hello));
    }

    [Fact]
    public void The_text_of_an_emote_cannot_imitate_a_reply()
    {
        const string Emote = """{"msgtype":"m.emote","body":"\"yes\" nods","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""";
        Assert.Equal(
            "* <@bob:x, to the message of @alice:x 19:20:11> \"yes\" nods",
            LineOf.Bobs("m.room.message", Emote, LineOf.Event("@alice:x", "m.room.message", "{}")));
        Assert.Equal("* <@bob:x, to @alice:x 19:20:11 \"hello\"> \"yes\" nods", LineOf.Bobs("m.room.message", Emote, Hello));
    }

    [Fact]
    public void A_malformed_thread_is_rendered_by_the_fallback()
    {
        var content = InThread("\"is_falling_back\":\"yes\"");
        Assert.Equal($"*** @bob:x m.room.message {content}", LineOf.Bobs("m.room.message", content, Hello));
    }

    private static string Reply(string body) =>
        $$$$"""{"msgtype":"m.text","body":"{{{{body}}}}","m.relates_to":{"m.in_reply_to":{"event_id":"$theirs"}}}""";

    private static string InThread(string more) =>
        """{"msgtype":"m.text","body":"pizza","m.relates_to":{"rel_type":"m.thread","event_id":"$theirs",MORE}}""".Replace(
            "MORE", more, StringComparison.Ordinal);
}
