using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class ExtensibleLineTests
{
    [Theory]
    [InlineData("m.message", """{"m.text":[{"mimetype":"text/html","body":"<b>hello</b>"},{"body":"hello"}]}""", "<@bob:x> hello")]
    [InlineData("org.matrix.msc1767.message", """{"org.matrix.msc1767.text":"hello"}""", "<@bob:x> hello")]
    [InlineData("org.matrix.msc1767.message", """{"org.matrix.msc1767.text":[{"body":"hello"}]}""", "<@bob:x> hello")]
    [InlineData(
        "org.matrix.msc1767.message", """{"org.matrix.msc1767.message":[{"mimetype":"text/plain","body":"hello"}]}""", "<@bob:x> hello")]
    [InlineData("m.message", """{"m.text":[{"body":"build passed"}],"m.automated":true}""", "-@bob:x- build passed")]
    [InlineData(
        "m.message", """{"m.text":[{"body":"me too"}],"m.relates_to":{"m.in_reply_to":{"event_id":"$e"}}}""", "<@bob:x, to $e> me too")]
    [InlineData("m.emote", """{"m.text":[{"body":"waves"}]}""", "* @bob:x waves")]
    [InlineData(
        "m.image",
        """{"m.text":[{"body":"cat.png (66 KB) https://x/a"}],"m.file":{"url":"mxc://x/a","name":"cat.png","size":66540}"""
            + ""","m.image_details":{"width":640,"height":480},"m.caption":{"m.text":[{"body":"my cat"}]}}""",
        "<@bob:x, image cat.png, 640×480, 66.5 KB, mxc://x/a> my cat")]
    [InlineData(
        "m.file", """{"m.text":[{"body":"a.pdf"}],"m.file":{"url":"mxc://x/a","name":"a.pdf"}}""", "<@bob:x, file a.pdf, mxc://x/a>")]
    [InlineData(
        "m.audio", """{"m.text":[{"body":"a song"}],"m.file":{"url":"mxc://x/a"},"m.audio_details":{"duration":201}}""",
        "<@bob:x, audio, 3:21, mxc://x/a> a song")]
    [InlineData(
        "org.matrix.msc1767.video",
        """{"org.matrix.msc1767.text":"clip.mp4","org.matrix.msc1767.file":{"name":"clip.mp4"},"org.matrix.msc1767.video_details":"""
            + """{"duration":9,"width":1,"height":2}}""",
        "<@bob:x, video clip.mp4, 1×2, 0:09>")]
    [InlineData("org.matrix.msc3245.voice.v2", """{"m.text":[{"body":"Voice message"}]}""", "<@bob:x, voice> Voice message")]
    [InlineData(
        "m.location", """{"m.text":[{"body":"Malmö"}],"m.location":{"uri":"geo:55.6,13.0"}}""", "<@bob:x, location 55.6,13.0> Malmö")]
    [InlineData("m.encrypted", """{"m.encrypted":{"ciphertext":"x"}}""", "<@bob:x, encrypted: cannot be logged>")]
    public void An_extensible_message_is_rendered_like_any_other(string type, string content, string line) =>
        Assert.Equal(line, LineOf.Bobs(type, content));

    [Theory]
    [InlineData("org.matrix.msc1767.emote", "m.emote")]
    [InlineData("org.matrix.msc3954.emote", "m.emote")]
    [InlineData("org.matrix.msc1767.image", "m.image")]
    [InlineData("org.matrix.msc3552.image", "m.image")]
    [InlineData("org.matrix.msc1767.file", "m.file")]
    [InlineData("org.matrix.msc3551.file", "m.file")]
    [InlineData("org.matrix.msc1767.audio", "m.audio")]
    [InlineData("org.matrix.msc3927.audio", "m.audio")]
    [InlineData("org.matrix.msc1767.video", "m.video")]
    [InlineData("org.matrix.msc3553.video", "m.video")]
    [InlineData("org.matrix.msc3245.voice", "m.voice")]
    [InlineData("org.matrix.msc3245.voice.v2", "m.voice")]
    [InlineData("org.matrix.msc3488.location", "m.location")]
    [InlineData("org.matrix.msc1767.encrypted", "m.encrypted")]
    public void An_unstable_type_is_rendered_like_its_stable_one(string older, string newer)
    {
        const string Content = """{"m.text":[{"body":"words"}],"m.file":{"url":"mxc://x/a"},"m.location":{"uri":"geo:1,2"}}""";
        var line = newer switch
        {
            "m.emote" => "* @bob:x words",
            "m.location" => "<@bob:x, location 1,2> words",
            "m.encrypted" => "<@bob:x, encrypted: cannot be logged>",
            _ => $"<@bob:x, {newer[2..]}, mxc://x/a> words",
        };
        Assert.Equal(line, LineOf.Bobs(newer, Content));
        Assert.Equal(line, LineOf.Bobs(older, Content));
    }

    [Theory]
    [InlineData("m.message", """{"m.text":null,"org.matrix.msc1767.text":"hi"}""", "<@bob:x> hi")]
    [InlineData(
        "m.message", """{"m.text":null,"org.matrix.msc1767.text":null,"org.matrix.msc1767.message":[{"body":"hi"}]}""", "<@bob:x> hi")]
    [InlineData("m.file", """{"m.file":null,"org.matrix.msc1767.file":{"name":"a.pdf"}}""", "<@bob:x, file a.pdf>")]
    [InlineData("m.message", """{"m.text":null}""", "*** @bob:x m.message {\"m.text\":null}")]
    public void Null_counts_as_missing(string type, string content, string line) => Assert.Equal(line, LineOf.Bobs(type, content));

    [Theory]
    [InlineData("m.file", """{"m.text":[{"body":"x"}],"m.file":[]}""", "<@bob:x, file> x")]
    [InlineData(
        "m.image", """{"m.file":{"name":"a.png","size":9},"m.image_details":{"width":"1","height":2}}""", "<@bob:x, image a.png, 9 B>")]
    public void A_detail_of_the_wrong_type_is_omitted(string type, string content, string line) =>
        Assert.Equal(line, LineOf.Bobs(type, content));

    [Theory]
    [InlineData("m.message", """{"m.text":[{"mimetype":"text/html","body":"<p>Build <b>42</b></p>"}]}""", "<@bob:x> Build 42")]
    [InlineData("m.emote", """{"m.text":[{"body":" "},{"mimetype":"text/html","body":"<i>waves</i>"}]}""", "* @bob:x waves")]
    [InlineData(
        "m.message", """{"m.text":[{"mimetype":"text/html","body":"<b>x</b>"},{"mimetype":"text/plain","body":"plain"}]}""",
        "<@bob:x> plain")]
    public void HTML_is_shown_as_text_where_there_is_no_plain_text(string type, string content, string line) =>
        Assert.Equal(line, LineOf.Bobs(type, content));

    [Theory]
    [InlineData("m.message", """{"m.text":"hello"}""")]
    [InlineData("m.message", """{"m.text":[{"mimetype":"text/html","body":"<b>"}]}""")]
    [InlineData("m.message", """{"m.text":[{"body":1}]}""")]
    [InlineData("m.message", """{"m.text":[{"body":"x"},{"body":1}]}""")]
    [InlineData("m.message", """{"m.text":[{"body":"x"}],"m.automated":"yes"}""")]
    [InlineData("m.image", """{"m.image_details":{"width":1}}""")]
    [InlineData("m.location", """{"m.ts":1}""")]
    [InlineData("m.message", "[]")]
    public void A_malformed_extensible_message_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal($"*** @bob:x {type} {content}", LineOf.Bobs(type, content));
}
