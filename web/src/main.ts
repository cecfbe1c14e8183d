import "./ui/styles/base.css";
import "./ui/styles/auth.css";
import "./ui/styles/chat.css";
import "./ui/styles/thread.css";
import "./ui/styles/dialogs.css";
import { mount } from "./ui/app";

mount(document.getElementById("app") ?? document.body);
