using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class EditLineTests
{
    private const string Edit =
        """{"msgtype":"m.text","body":"* new","m.new_content":{"msgtype":"m.text","body":"new"},"m.relates_to":"""
            + """{"rel_type":"m.replace","event_id":"$bobs"}}""";
    private static readonly RoomEvent Original = LineOf.Event("@bob:x", "m.room.message", """{"msgtype":"m.text","body":"old"}""");

    [Fact]
    public void An_edit_of_the_senders_own_message_shows_the_new_text() =>
        Assert.Equal("<@bob:x, edit of 19:20:11> new", LineOf.Bobs("m.room.message", Edit, Original));

    [Fact]
    public void An_edit_of_a_message_of_another_day_shows_the_date() =>
        Assert.Equal(
            "<@bob:x, edit of 2026-11-22 19:20:11> new",
            LineOf.Bobs(
                "m.room.message", Edit,
                LineOf.Event(
                    """{"event_id":"$bobs","room_id":"!r:x","type":"m.room.message","sender":"@bob:x","origin_server_ts":1795375211000"""
                        + ""","content":{"msgtype":"m.text","body":"old"}}""")));

    [Fact]
    public void An_edit_can_change_the_kind_of_message() =>
        Assert.Equal(
            "* <@bob:x, edit of 19:20:11> waves",
            LineOf.Bobs(
                "m.room.message",
                Edit.Replace(
                    "{\"msgtype\":\"m.text\",\"body\":\"new\"}", "{\"msgtype\":\"m.emote\",\"body\":\"waves\"}", StringComparison.Ordinal),
                Original));

    [Fact]
    public void An_edit_of_an_image_shows_the_new_caption() =>
        Assert.Equal(
            "<@bob:x, edit of 19:20:11, image cat.png> my dog",
            LineOf.Bobs(
                "m.room.message",
                """{"msgtype":"m.image","body":"* my dog","m.new_content":{"msgtype":"m.image","filename":"cat.png","body":"my dog"}"""
                    + ""","m.relates_to":{"rel_type":"m.replace","event_id":"$bobs"}}""",
                Original));

    [Fact]
    public void A_relation_within_the_new_content_is_ignored() =>
        Assert.Equal(
            "<@bob:x, edit of 19:20:11> new",
            LineOf.Bobs(
                "m.room.message",
                Edit.Replace(
                    "\"body\":\"new\"", "\"body\":\"new\",\"m.relates_to\":{\"m.in_reply_to\":{\"event_id\":\"$theirs\"}}",
                    StringComparison.Ordinal),
                Original));

    [Fact]
    public void An_edit_of_an_unknown_event_shows_its_id() =>
        Assert.Equal("<@bob:x, edit of $bobs> new", LineOf.Bobs("m.room.message", Edit));

    [Fact]
    public void An_edit_of_another_senders_message_is_invalid() =>
        Assert.Equal(
            "<@bob:x, invalid edit of @alice:x 19:20:11> * new",
            LineOf.Bobs(
                "m.room.message", Edit.Replace("$bobs", "$theirs", StringComparison.Ordinal),
                LineOf.Event("@alice:x", "m.room.message", """{"msgtype":"m.text","body":"old"}""")));

    [Theory]
    [InlineData("m.room.message", Edit, "\"age\":1")]
    [InlineData("m.sticker", """{"body":"old"}""", "\"age\":1")]
    [InlineData("m.room.topic", """{"topic":"old"}""", "\"state_key\":\"\"")]
    [InlineData("m.room.message", """{"msgtype":"m.text","body":"old"}""", "\"state_key\":\"\"")]
    public void An_edit_of_an_edit_another_type_or_a_state_event_is_invalid(string type, string content, string more) =>
        Assert.Equal(
            "<@bob:x, invalid edit of @bob:x 19:20:11> * new",
            LineOf.Bobs("m.room.message", Edit, LineOf.Event("@bob:x", type, content, more)));

    [Fact]
    public void An_edit_without_new_content_or_target_is_invalid()
    {
        Assert.Equal(
            "<@bob:x, invalid edit of @bob:x 19:20:11> * new",
            LineOf.Bobs(
                "m.room.message", """{"msgtype":"m.text","body":"* new","m.relates_to":{"rel_type":"m.replace","event_id":"$bobs"}}""",
                Original));
        Assert.Equal(
            "<@bob:x, invalid edit of $bobs> * new",
            LineOf.Bobs(
                "m.room.message", """{"msgtype":"m.text","body":"* new","m.relates_to":{"rel_type":"m.replace","event_id":"$bobs"}}"""));
        Assert.Equal(
            "<@bob:x, invalid edit of ?> * new",
            LineOf.Bobs(
                "m.room.message",
                """{"msgtype":"m.text","body":"* new","m.new_content":{"msgtype":"m.text","body":"new"},"m.relates_to":"""
                    + """{"rel_type":"m.replace"}}"""));
    }

    [Fact]
    public void An_edit_that_is_a_state_event_is_rendered_by_the_fallback() =>
        Assert.Equal(
            $"*** @bob:x m.room.message [\"\"] {Edit}",
            LineOf.After(LineOf.Event("@bob:x", "m.room.message", Edit, "\"state_key\":\"\""), Original));

    [Fact]
    public void An_edit_with_malformed_new_content_is_rendered_by_the_fallback()
    {
        var edit = Edit.Replace("{\"msgtype\":\"m.text\",\"body\":\"new\"}", "\"new\"", StringComparison.Ordinal);
        Assert.Equal($"*** @bob:x m.room.message {edit}", LineOf.Bobs("m.room.message", edit, Original));
    }
}
